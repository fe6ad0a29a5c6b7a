-- What our statements say in words of SQLite that PostgreSQL has not, and that it can be taught. Each gives what
-- SQLite's function gives, as text where SQLite would give a number: a statement that calculates casts.
CREATE FUNCTION json_extract(document text, path text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE part jsonb := document::jsonb #> string_to_array(rtrim(replace(substr(path, 3), '[', ''), ']'), '.');
BEGIN
    RETURN CASE jsonb_typeof(part)
        WHEN 'string' THEN part #>> '{}'
        WHEN 'boolean' THEN CASE WHEN part = 'true' THEN '1' ELSE '0' END
        WHEN 'null' THEN NULL
        ELSE document::json #>> string_to_array(rtrim(replace(substr(path, 3), '[', ''), ']'), '.')
    END;
END $$;
CREATE FUNCTION json_each(document text) RETURNS TABLE (key text, value text) LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF jsonb_typeof(document::jsonb) = 'array' THEN
        RETURN QUERY SELECT (each.place - 1)::text, each.one FROM json_array_elements_text(document::json)
            WITH ORDINALITY AS each (one, place);
    ELSE
        RETURN QUERY SELECT each.key, each.value FROM json_each_text(document::json) AS each;
    END IF;
END $$;
CREATE FUNCTION json_each(document text, path text) RETURNS TABLE (key text, value text) LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT * FROM json_each(json_extract(document, path)) $$;
CREATE FUNCTION json_array_with(list text, one text) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT overlay(list PLACING (CASE list WHEN '[]' THEN '' ELSE ',' END) || to_json(one)::text || ']'
                         FROM length(list)) $$;
CREATE AGGREGATE json_group_array(text) (SFUNC = json_array_with, STYPE = text, INITCOND = '[]');
CREATE FUNCTION instr(whole text, part text) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT strpos(whole, part)::bigint $$;
CREATE FUNCTION min(one bigint, other bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT least(one, other) $$;
CREATE FUNCTION min(one bigint, other bigint, third bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT least(one, other, third) $$;
CREATE FUNCTION max(one bigint, other bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT greatest(one, other) $$;
CREATE FUNCTION json_valid(document text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN document::json IS NOT NULL;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN FALSE;
END $$;
