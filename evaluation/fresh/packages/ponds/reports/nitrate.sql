-- The mean of nitrate in each pond, over the samples with a good result.
SELECT ponds.name, round(avg(samples.nitrate), 1) AS nitrate
FROM ponds
JOIN samples ON samples.pond_id = ponds.id
WHERE samples.state = 'good'
GROUP BY ponds.id
ORDER BY ponds.name;
