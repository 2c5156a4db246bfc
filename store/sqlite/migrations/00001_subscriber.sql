-- +goose Up
-- The hashes are H(A1) for the realm, NULL where there is none. Times are Unix milliseconds.
CREATE TABLE subscriber (
    domain     TEXT NOT NULL,
    user       TEXT NOT NULL,
    realm      TEXT NOT NULL,
    md5        BLOB CHECK (length(md5) = 16),
    sha256     BLOB CHECK (length(sha256) = 32),
    sha512_256 BLOB CHECK (length(sha512_256) = 32),
    created    INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    PRIMARY KEY (domain, user)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE subscriber;
