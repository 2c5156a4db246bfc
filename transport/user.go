package transport

import "hash/maphash"

// userHash tells users apart; 0 is nobody.
func (t *Transport) userHash(realm, user []byte) uint64 {
	if len(user) == 0 {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(t.userSeed)
	_, _ = h.Write(realm)
	_ = h.WriteByte(0)
	_, _ = h.Write(user)
	return max(1, h.Sum64())
}
