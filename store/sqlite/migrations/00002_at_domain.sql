-- +goose Up
-- H(A1) for the digest username user@domain; NULL for who was stored before, or with hashes instead of a password.
ALTER TABLE subscriber ADD COLUMN at_md5 BLOB CHECK (length(at_md5) = 16);
ALTER TABLE subscriber ADD COLUMN at_sha256 BLOB CHECK (length(at_sha256) = 32);
ALTER TABLE subscriber ADD COLUMN at_sha512_256 BLOB CHECK (length(at_sha512_256) = 32);

-- +goose Down
ALTER TABLE subscriber DROP COLUMN at_sha512_256;
ALTER TABLE subscriber DROP COLUMN at_sha256;
ALTER TABLE subscriber DROP COLUMN at_md5;
