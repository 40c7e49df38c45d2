import type { Level, MetricSeries } from "@coalmine/contract/operator-api";
import { useDesk } from "../frame/desk.ts";
import { countText, figureText, timeText } from "../shown/figures.ts";

/** A chart's figures, newest first, for whoever does not see it or wants to know exactly. */
export function FiguresTable({ series: { metric, looks } }: { readonly series: MetricSeries }) {
  const { texts, language } = useDesk();
  const { rollout: words } = texts.value;
  const level = (arm: Level | null): string =>
    arm === null ? words.gap : figureText(arm.level, language.value);
  const interval = (arm: Level | null): string =>
    arm === null || arm.low === null || arm.high === null
      ? texts.value.none
      : `${figureText(arm.low, language.value)} … ${figureText(arm.high, language.value)}`;
  const devices = (arm: Level | null): string =>
    arm === null ? "0" : countText(arm.devices, language.value);
  return (
    <details>
      <summary>{words.table}</summary>
      <div class="scrolls" tabIndex={0} role="region" aria-label={`${words.table}: ${metric}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.time}</th>
              {[words.canary, words.baseline].map((arm) => [
                <th key={arm} scope="col" class="figure">
                  {arm}
                </th>,
                <th key={`${arm} interval`} scope="col" class="figure">
                  {words.interval}
                </th>,
                <th key={`${arm} n`} scope="col" class="figure">
                  n
                </th>,
              ])}
            </tr>
          </thead>
          <tbody>
            {looks.toReversed().map(({ atMs, canary, baseline }) => (
              <tr key={atMs}>
                <th scope="row">{timeText(atMs, language.value)}</th>
                {[canary, baseline].map((arm, index) => [
                  <td key={`${index} level`} class="figure">
                    {level(arm)}
                  </td>,
                  <td key={`${index} interval`} class="figure">
                    {interval(arm)}
                  </td>,
                  <td key={`${index} n`} class="figure">
                    {devices(arm)}
                  </td>,
                ])}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
