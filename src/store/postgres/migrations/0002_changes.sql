-- What instances tell each other. A row is written in the transaction that it tells of, and kept for a few minutes.
--
-- `at` is the database's own time, which all instances share; `teller` is an instance since its start, and `number` counts
-- what it told. Each instance reads the end of it, by range.
CREATE TABLE changes (
    at bigint NOT NULL,
    teller bytea NOT NULL,
    number bigint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (at, teller, number)
);
