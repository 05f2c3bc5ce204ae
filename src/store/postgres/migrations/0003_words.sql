-- What a thought is found by: its words, each behind the number of its week, and the lists it stands in (see
-- `full_text.rs`). It is NULL where nobody has written it yet: an older binary, beside which this one may run for a while.
--
-- Nobody reads or writes thoughts while the two indexes are made, which takes some seconds a million. Who has many makes
-- them beforehand, under the same names: the column first, then both by CREATE INDEX CONCURRENTLY. A column that is there
-- is not asked for at all: even IF NOT EXISTS would wait for whoever reads, and keep off all who come after.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'thoughts'::regclass AND attname = 'words' AND NOT attisdropped) THEN
        ALTER TABLE thoughts ADD COLUMN words tsvector;
    END IF;
END $$;
CREATE INDEX IF NOT EXISTS thoughts_by_word ON thoughts USING gin (words);
CREATE INDEX IF NOT EXISTS thoughts_without_words ON thoughts (id) WHERE words IS NULL AND deleted_at IS NULL;
