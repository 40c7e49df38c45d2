/** Questions that people ask of the lake first; the same SQL runs on the laptop's Parquet files. */
export const savedQueries = {
  "latest results by device": `select thing, instrument, channel, max(sample_time_ms) as latest_ms, count(*) as results
from measurements where dt >= '2024-01-01' and model_sha256 is not null
group by thing, instrument, channel order by thing, instrument, channel`,
  "readings that came twice": `select instrument, boot, sequence, channel, count(*) as times
from measurements where dt >= '2024-01-01'
group by instrument, boot, sequence, channel having count(*) > 1 order by times desc limit 100`,
  "bad readings by cause": `select thing, quality_cause, count(*) as readings
from measurements where dt >= '2024-01-01' and quality = 'bad'
group by thing, quality_cause order by readings desc limit 100`,
  "what was seen of each device": `select dt, target, thing, source, count(distinct at_ms) as times, max(at_ms) as latest_ms
from evidence where dt >= '2024-01-01'
group by dt, target, thing, source order by dt desc, target, thing, source limit 1000`,
} as const;
