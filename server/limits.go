package server

import "time"

const (
	// maxHost is the longest host that is looked up: a name of RFC 1035 with room for a final dot.
	maxHost = 256

	// maxLogged is how much of a header field stands in the log, in bytes: a peer chooses it.
	maxLogged = 128

	// refusalLog is how often one reason for a refusal is logged: a flood makes a line a second.
	refusalLog = time.Second

	// retryAfterStore is how long a phone is asked to wait when the disk failed or too much waits for it:
	// longer than the second in which the store tries to recover, short enough not to be missed.
	retryAfterStore = 5 * time.Second

	// retryAfterLoad is how long a caller is asked to wait when too many transactions are held: by then some of those
	// that wait for nothing but retransmissions (32 s) are over.
	retryAfterLoad = 5 * time.Second

	// Of max_transactions, in parts of shareOf: what strangers may have, and what they may have with what goes on within
	// dialogs that they have. The rest is for who has authenticated and for trusted peers, so that no flood by strangers
	// keeps them from calling.
	shareOf        = 8
	strangersShare = 5
	provedShare    = 6

	// What one of many may have of max_transactions, one part in so many, and in a small server so many at least, counted
	// in requests that came in. With the default of 200,000 a source, or the /64 of an IPv6 one, has 6,250 calls that
	// ring, as many as another domain's proxy may bring; its /56 has twice as many; a user 3,125 from strangers, as many
	// as a call centre; one source for one user half of that, so that nobody else is kept from calling them. A user who
	// has authenticated, a PBX perhaps, has 12,500.
	sourcePart, sourceLeast = 32, 32
	calleePart, calleeLeast = 64, 250
	pairPart, pairLeast     = 128, 16
	userPart, userLeast     = 16, 64

	// dialogMost is how many requests may be at work within one dialog.
	dialogMost = 32

	// shareSlots is how many slots these are counted in: 256 KB, in which the requests of 160 busy sources and users lie
	// so that one other in ten thousand is taken for one of them.
	shareSlots = 16384

	// drainTick is how often a server that is going down looks whether something is still under way.
	drainTick = 10 * time.Millisecond

	// drainAck is how long it waits for the ACK of a call that was answered: a round trip, or two copies of a 2xx that
	// were lost (500 ms and 1.5 s).
	drainAck = 2 * time.Second

	// Of the time that it has, one part in drainPart, but no more than drainFarewell, is for answers to what it gives up,
	// and as much again to close everything in.
	drainPart     = 20
	drainFarewell = 250 * time.Millisecond

	// maxDatagram is the largest request that goes out as a datagram where the path's MTU is not known (RFC 3261
	// §18.1.1), in bytes.
	maxDatagram = 1300

	// maxPayload is the largest response that goes out as a datagram, in bytes: one over IPv4 holds no more.
	maxPayload = 65507

	// unprovenCopies is how often a request goes over UDP to an address that has never answered and that it was not
	// registered from (RFC 3261 §17.1 would have eleven): at once, and should it be lost after 0.5 and 1.5 s.
	unprovenCopies = 3

	// maxUnprovenPatience is how many such addresses of one request get it more than once.
	maxUnprovenPatience = 4

	// maxUnprovenBranches is how many branches of one request go to one such address: somebody's other phone, its
	// softphone and a gateway. Once it has answered all do.
	maxUnprovenBranches = 3

	// maxAnswerers is how many addresses are remembered that have answered, some 100 bytes each. Phones that register
	// from where they are called, and next hops, need no place.
	maxAnswerers = 16_384

	// maxHopAddresses is how many addresses are remembered that the names of next hops lead to.
	maxHopAddresses = 256

	// hopRefresh is how often it is looked up where they lead; DNS is asked when what it said has expired.
	hopRefresh = time.Minute

	// maxKept is the largest buffer that is kept for the next request, in bytes: one large message leaves nothing
	// behind.
	maxKept = 16 << 10

	// maxDefenceLines is how many lines a second the defence writes of sources that are throttled, refused and let in: a
	// flood from forged sources fills no disk.
	maxDefenceLines = 100

	// sweepEvery is how soon a source is let in when its time is over: as exactly as a person waits.
	sweepEvery = 5 * time.Second

	// maxRulesFile is the largest file of an administrator's rules, in bytes: a thousand of them take a tenth.
	maxRulesFile = 1 << 20

	// ackPatience is how long an ACK is held that went over a stream for its size: longer than a connection may take to
	// open.
	ackPatience = 12 * time.Second

	// maxHeldAcks is how many are: each has the bytes of its request. One more goes over a stream alone.
	maxHeldAcks = 1024

	// maxReasons is how many bytes of Reason values of a caller's CANCEL go on to those who ring. RFC 3326 §2: there is one
	// for each protocol, and few protocols; each takes some 50. What waits for a phone's first response is kept so long.
	maxReasons = 512

	// clockSlack is how far the time of day may be from the server's clock before it counts as set: what keeps it right
	// moves it by less.
	clockSlack = time.Second

	// hurry is how soon after the last change of its AOR a change counts against the AOR's pace. A phone refreshes
	// every half minute or so; ten of one user come together only when the network is back.
	hurry = 2 * time.Second

	// paceBytes is what the changes of an AOR that are in a hurry may write in a second, in bytes, for each contact
	// that it may have: by default a thousand small changes in a second, or twenty of the largest record.
	paceBytes = 32 << 10

	// sourceBytes is the same for a source, of what records have beyond ordinaryRecord: one that has many AORs, with
	// all the bytes that they may have, leaves most of a slow disk to others.
	sourceBytes = 8 << 20

	// ordinaryRecord is what a record may have and count as one phone's, in bytes.
	ordinaryRecord = 1 << 10

	// paceBurst is how long nobody may have written for an allowance to be whole: as much may be written at once as
	// otherwise in that time.
	paceBurst = 16 * time.Second

	// paceSlots is how many AORs, and sources, in a hurry are told apart, of 8 bytes each. An AOR that is in a hurry
	// meets a flood's by a chance of one in so many, and is then asked to wait.
	paceSlots = 1 << 14

	// alarmTick is how exactly Timer C fires: it is three minutes at the least.
	alarmTick = time.Second
)
