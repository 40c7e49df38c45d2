import type { MetricSeries, RolloutMetrics } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { AgeOf } from "../shown/age.tsx";
import { Asked, Said } from "../shown/asked.tsx";
import { Copy } from "../shown/copy.tsx";
import { countText, differenceText, figureText } from "../shown/figures.ts";
import { linkTo } from "../place/place.ts";
import { Status, type Tone } from "../shown/status.tsx";
import type { ChartParts } from "./chart.tsx";
import { FiguresTable } from "./figures-table.tsx";

const tones: Readonly<Record<MetricSeries["status"], Tone>> = {
  fine: "good",
  harm: "bad",
  notEnough: "warn",
};
/** More are drawn when they are opened: the worst stand first. */
const OPEN_MAX = 6;

/** Per target and metric: canary against the baseline of the same time, worst first. */
export function Metrics({
  rollout,
  metric,
}: {
  readonly rollout: string;
  readonly metric: string | undefined;
}) {
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
              <Target key={target.target} rollout={rollout} target={target} metric={metric} Chart={Chart} />
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
  rollout,
  target: { target, seen, judgedBy, arms, metrics },
  metric,
  Chart,
}: {
  readonly rollout: string;
  readonly target: RolloutMetrics["targets"][number];
  readonly metric: string | undefined;
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
        {metrics.map((series, index) => (
          <Metric
            key={series.metric}
            link={`${location.origin}${location.pathname}${linkTo({ page: "rollout", rollout, metric: `${target}/${series.metric}` })}`}
            fleet={target}
            series={series}
            Chart={Chart}
            isOpen={metric === undefined ? index < OPEN_MAX : metric === `${target}/${series.metric}`}
            isLinked={metric === `${target}/${series.metric}`}
          />
        ))}
      </div>
    </section>
  );
}

interface MetricParts {
  readonly link: string;
  readonly fleet: string;
  readonly series: MetricSeries;
  readonly Chart: ChartOf | undefined;
  readonly isOpen: boolean;
  readonly isLinked: boolean;
}

function Metric({ link, fleet, series, Chart, isOpen, isLinked }: MetricParts) {
  const { texts, language } = useDesk();
  const isDrawn = useSignal(isOpen);
  const words = texts.value.rollout;
  const { metric, status, role, sentence, ratio, ratioLow, ratioHigh, margin, looks } = series;
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
      {isDrawn.value && Chart !== undefined && looks.length > 0 && <Chart series={series} fleet={fleet} />}
      {gaps > 0 && <p class="quiet">{words.gaps(countText(gaps, language.value))}</p>}
      <FiguresTable series={series} />
    </details>
  );
}

export function limitText(limit: MetricSeries["limit"], figure: (value: number) => string): string[] {
  return [
    ...(limit?.above === undefined ? [] : [`≤ ${figure(limit.above)}`]),
    ...(limit?.below === undefined ? [] : [`≥ ${figure(limit.below)}`]),
  ];
}
