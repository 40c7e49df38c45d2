import type { MetricSeries, RolloutMetrics } from "@coalmine/contract/operator-api";
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { AgeOf } from "../shown/age.tsx";
import { Asked, Said } from "../shown/asked.tsx";
import { Copy } from "../shown/copy.tsx";
import { counted, countText, differenceText, figureText } from "../shown/figures.ts";
import { linkTo, type RolloutPlace } from "../place/place.ts";
import { Status, type Tone } from "../shown/status.tsx";
import type { ChartParts } from "./chart.tsx";
import { type ChartRange, fieldText, looksWithin, rangeIn, rangeText, withEnd } from "./chart-range.ts";
import { FiguresTable } from "./figures-table.tsx";

const tones: Readonly<Record<MetricSeries["status"], Tone>> = {
  fine: "good",
  harm: "bad",
  notEnough: "warn",
};
/** More are drawn when they are opened: the worst stand first. */
const OPEN_MAX = 6;

/** Per target and metric: canary against the baseline of the same time, worst first. */
export function Metrics({ at }: { readonly at: RolloutPlace }) {
  const { rollout } = at;
  const { texts } = useDesk();
  const { watched, again } = useWatched(
    rollout,
    ({ ask }) => ask("metrics", { rollout }),
    (heard) => heard.event === "entry" && heard.rollout === rollout,
  );
  const Chart = useChart();
  const words = texts.value.rollout;
  return (
    <section>
      <h2>{words.metrics}</h2>
      <Asked watched={watched.value} again={again}>
        {({ targets }) => (
          <>
            {targets.every(({ metrics }) => metrics.length === 0) && <p>{words.noMetrics}</p>}
            {targets.map((target) => (
              <Target key={target.target} at={at} target={target} Chart={Chart} />
            ))}
          </>
        )}
      </Asked>
    </section>
  );
}

type ChartOf = (parts: ChartParts) => preact.JSX.Element;

/** Charts weigh more than the rest of the page: they come when a page has some. */
function useChart(): ChartOf | undefined {
  const Chart = useSignal<{ readonly of: ChartOf } | undefined>(undefined);
  useEffect(() => {
    const load = async (): Promise<void> => {
      const { Chart: loaded } = await import("./chart.tsx");
      Chart.value = { of: loaded };
    };
    // Without it every figure stands in the table.
    load().catch(() => undefined);
  }, []);
  return Chart.value?.of;
}

function Target({
  at,
  target: { target, seen, judgedBy, arms, metrics },
  Chart,
}: {
  readonly at: RolloutPlace;
  readonly target: RolloutMetrics["targets"][number];
  readonly Chart: ChartOf | undefined;
}) {
  const { texts, language } = useDesk();
  const words = texts.value.rollout;
  return (
    <section aria-labelledby={`metrics-${target}`}>
      <h3 id={`metrics-${target}`}>{target}</h3>
      <p class="quiet">
        {words.judgedBy[judgedBy]};{" "}
        {words.arms(countText(arms.canary, language.value), countText(arms.baseline, language.value))};{" "}
        {words.newest}: <AgeOf fleet={target} seen={seen} />
      </p>
      <div class="metrics">
        {metrics.map((series, index) => {
          const own = { page: "rollout", rollout: at.rollout, metric: `${target}/${series.metric}` } as const;
          return (
            <Metric
              key={series.metric}
              at={at.metric === own.metric ? at : own}
              fleet={target}
              series={series}
              Chart={Chart}
              isOpen={at.metric === undefined ? index < OPEN_MAX : at.metric === own.metric}
              isLinked={at.metric === own.metric}
            />
          );
        })}
      </div>
    </section>
  );
}

interface MetricParts {
  /** Its own, with its chart's range where it was linked to. */
  readonly at: RolloutPlace;
  readonly fleet: string;
  readonly series: MetricSeries;
  readonly Chart: ChartOf | undefined;
  readonly isOpen: boolean;
  readonly isLinked: boolean;
}

function Metric({ at, fleet, series, Chart, isOpen, isLinked }: MetricParts) {
  const { texts, language } = useDesk();
  const isDrawn = useSignal(isOpen);
  const range = useSignal(rangeIn(at));
  const shown = useMemo(
    () => ({ ...series, looks: looksWithin(series.looks, range.value) }),
    [series, range.value],
  );
  const words = texts.value.rollout;
  const { metric, status, role, sentence, ratio, ratioLow, ratioHigh, margin } = series;
  const { looks } = shown;
  const link = `${location.origin}${location.pathname}${linkTo({
    page: "rollout",
    rollout: at.rollout,
    ...(at.metric === undefined ? {} : { metric: at.metric }),
    ...rangeText(range.value),
  })}`;
  const difference = (value: number | null): string =>
    value === null ? texts.value.none : differenceText(value, language.value);
  const gaps = looks.filter(({ canary, baseline }) => canary === null || baseline === null).length;
  return (
    <details
      class="metric"
      open={isOpen}
      onToggle={({ currentTarget }) => void (isDrawn.value ||= currentTarget.open)}
      ref={(own) => {
        if (isLinked && own !== null && own.dataset["seen"] === undefined) {
          own.dataset["seen"] = "";
          own.scrollIntoView();
        }
      }}
    >
      <summary>
        <strong>{metric}</strong> <Status tone={tones[status]} word={words.statuses[status]} />
        {role === "advisory" && <small> ({words.advisory})</small>}
      </summary>
      <p>
        <Said text={sentence} />
      </p>
      <p class="quiet">
        {words.ratio}: <strong>{difference(ratio)}</strong> ({difference(ratioLow)} … {difference(ratioHigh)})
        {margin !== undefined && <>; {words.allowed(differenceText(margin, language.value))}</>}
        {limitText(series.limit, (value) => figureText(value, language.value)).map((text) => (
          <>
            ; {words.limit} {text}
          </>
        ))}{" "}
        <Copy label={texts.value.copyLink} text={link} />
      </p>
      {isDrawn.value && series.looks.length > 0 && <RangeFields range={range} metric={metric} />}
      {isDrawn.value && Chart !== undefined && looks.length > 0 && (
        <Chart series={shown} fleet={fleet} chosen={(chosen) => void (range.value = chosen)} />
      )}
      {gaps > 0 && <p class="quiet">{words.gaps(counted(gaps, language.value))}</p>}
      <FiguresTable series={shown} />
    </details>
  );
}

/** Which part of the chart and its table is shown. */
function RangeFields({ range, metric }: { readonly range: Signal<ChartRange>; readonly metric: string }) {
  const words = useDesk().texts.value.rollout;
  const field = (label: string, name: keyof ChartRange) => (
    <label class="field">
      {label}
      <input
        type="datetime-local"
        value={fieldText(range.value[name])}
        onChange={({ currentTarget }) => void (range.value = withEnd(range.value, name, currentTarget.value))}
      />
    </label>
  );
  return (
    <div class="filters" role="group" aria-label={metric}>
      {field(words.from, "fromMs")}
      {field(words.to, "toMs")}
      <button type="button" onClick={() => void (range.value = {})}>
        {words.wholeChart}
      </button>
    </div>
  );
}

export function limitText(limit: MetricSeries["limit"], figure: (value: number) => string): string[] {
  return [
    ...(limit?.above === undefined ? [] : [`≤ ${figure(limit.above)}`]),
    ...(limit?.below === undefined ? [] : [`≥ ${figure(limit.below)}`]),
  ];
}
