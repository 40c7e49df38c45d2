import type { MetricSeries } from "@coalmine/contract/operator-api";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useDesk } from "../frame/desk.ts";
import { figureText, minuteText } from "../shown/figures.ts";
import type { ChartRange } from "./chart-range.ts";
import { columns, plotted } from "./plotted.ts";

const HEIGHT_PX = 220;
/** Told apart without colours: the canary's line is whole with discs, the baseline's is dashed with squares. */
const dashes = { canary: [], baseline: [8, 5], limit: [2, 4] };

export interface ChartParts {
  readonly series: MetricSeries;
  readonly fleet: string;
  /** Told the part that somebody drew over it; fields beside it do the same. */
  readonly chosen: (range: ChartRange) => void;
}

/** Both arms over the looks with their intervals and the limit. A canvas says nothing to who does not see: its table does. */
export function Chart({ series, chosen }: ChartParts) {
  const { texts, language, choices } = useDesk();
  const place = useRef<HTMLDivElement>(null);
  const words = texts.value.rollout;
  const theme = choices.theme.value;
  useEffect(() => {
    const own = place.current;
    if (own === null) return undefined;
    let plot: uPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      plot = new uPlot(
        optionsOf(
          own,
          words,
          {
            figure: (value) => figureText(value, language.value),
            minute: (seconds) => minuteText(seconds * 1000, language.value),
          },
          chosen,
        ),
        plotted(series),
        own,
      );
    };
    draw();
    const sized = new ResizeObserver(() => plot?.setSize({ width: own.clientWidth, height: HEIGHT_PX }));
    sized.observe(own);
    // A canvas keeps the colours that it was drawn with.
    const schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
      matchMedia(query),
    );
    for (const scheme of schemes) scheme.addEventListener("change", draw);
    return () => {
      sized.disconnect();
      for (const scheme of schemes) scheme.removeEventListener("change", draw);
      plot?.destroy();
    };
  }, [series, words, theme]);
  return (
    <figure>
      <div ref={place} role="img" aria-label={words.chart(series.metric)} />
      <figcaption>
        <Key name={words.canary} kind="canary" /> <Key name={words.baseline} kind="baseline" />{" "}
        {series.limit !== undefined && <Key name={words.limit} kind="limit" />} {words.interval}: ▒
      </figcaption>
    </figure>
  );
}

function Key({ name, kind }: { readonly name: string; readonly kind: keyof typeof dashes }) {
  return (
    <span class={`key ${kind}`}>
      <svg viewBox="0 0 32 10" aria-hidden="true">
        <line x1="0" y1="5" x2="32" y2="5" stroke-dasharray={dashes[kind].join(" ")} />
        {kind === "canary" && <circle cx="16" cy="5" r="4" />}
        {kind === "baseline" && <rect x="12" y="1" width="8" height="8" />}
      </svg>{" "}
      {name}
    </span>
  );
}

function optionsOf(
  own: HTMLElement,
  words: { readonly canary: string; readonly baseline: string; readonly limit: string },
  texts: { readonly figure: (value: number) => string; readonly minute: (seconds: number) => string },
  chosen: ChartParts["chosen"],
): uPlot.Options {
  const colour = (name: string, alpha = 1): string => resolved(own, name, alpha);
  const line = (
    label: string,
    name: keyof typeof dashes,
    more: Partial<uPlot.Series> = {},
  ): uPlot.Series => ({
    label,
    stroke: colour(name),
    width: 2,
    dash: dashes[name],
    spanGaps: false,
    ...more,
  });
  const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: false };
  const at = (name: (typeof columns)[number]): number => columns.indexOf(name) + 1;
  const axis: uPlot.Axis = {
    stroke: colour("ink"),
    font: "12px system-ui",
    grid: { stroke: colour("line", 0.4), width: 1 },
    ticks: { stroke: colour("line", 0.4), width: 1 },
  };
  return {
    width: own.clientWidth || 320,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false } },
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          const at = (px: number): number => Math.round(plot.posToVal(px, "x") * 1000);
          if (width > 0) chosen({ fromMs: at(left), toMs: at(left + width) });
        },
      ],
    },
    scales: { x: { time: true }, y: { range: rangeOf } },
    axes: [
      { ...axis, values: (_, splits) => splits.map((split) => texts.minute(split)) },
      { ...axis, size: 64, values: (_, splits) => splits.map((split) => texts.figure(split)) },
    ],
    series: [
      {},
      line(words.baseline, "baseline", {
        points: { show: true, size: 7, fill: colour("baseline"), paths: squares },
      }),
      edge,
      edge,
      line(words.canary, "canary", { points: { show: true, size: 8, fill: colour("canary") } }),
      edge,
      edge,
      line(words.limit, "limit", { points: { show: false } }),
      line(words.limit, "limit", { points: { show: false } }),
    ],
    bands: [
      { series: [at("baselineHigh"), at("baselineLow")], fill: colour("baseline", 0.18) },
      { series: [at("canaryHigh"), at("canaryLow")], fill: colour("canary", 0.18) },
    ],
  };
}

/** All that is drawn, with a little air; a flat line in the middle. */
function rangeOf(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null) return [0, 1];
  const air = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  return [low - air, high + air];
}

const squares: uPlot.Series.Points.PathBuilder = (plot, series, from, to) => {
  const path = new Path2D();
  const side = 7 * devicePixelRatio;
  for (let index = from; index <= to; index++) {
    const value = plot.data[series]?.[index];
    const time = plot.data[0][index];
    if (typeof value !== "number" || time === undefined) continue;
    path.rect(
      plot.valToPos(time, "x", true) - side / 2,
      plot.valToPos(value, "y", true) - side / 2,
      side,
      side,
    );
  }
  return { fill: path, stroke: path };
};

/** A custom property as a canvas understands it: `light-dark()` and system colours are resolved by the element. */
function resolved(own: HTMLElement, name: string, alpha: number): string {
  own.style.color = `color-mix(in srgb, var(--${name}) ${alpha * 100}%, transparent)`;
  const { color } = getComputedStyle(own);
  own.style.removeProperty("color");
  return color;
}
