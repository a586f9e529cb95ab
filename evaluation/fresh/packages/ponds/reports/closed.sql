-- The ponds that are closed for bathing: the last sample with a result is bad.
SELECT ponds.name
FROM ponds
JOIN samples ON samples.id = (
    SELECT id FROM samples
    WHERE pond_id = ponds.id AND state <> 'taken'
    ORDER BY day DESC, id DESC
    LIMIT 1
)
WHERE samples.state = 'bad'
ORDER BY ponds.name;
