import type { DevicePage as Device } from "@coalmine/contract/operator-api";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { AgeOf } from "../shown/age.tsx";
import { Asked, Said } from "../shown/asked.tsx";
import { Facts } from "../shown/facts.tsx";
import { timeText } from "../shown/figures.ts";
import { To } from "../shown/link.tsx";
import { stateTones, Status, type Tone } from "../shown/status.tsx";
import { WaitsFor } from "../shown/waits-for.tsx";
import { LogTail } from "./log-tail.tsx";

/** One device on one page: who it is, what it runs, how it is and how old that is, its logs, its tests. */
export function DevicePage({
  thing,
  line,
  component,
}: {
  readonly thing: string;
  readonly line?: string | undefined;
  readonly component?: string | undefined;
}) {
  const { texts } = useDesk();
  const { watched, again } = useWatched(
    thing,
    ({ ask }) => ask("device", { thing }),
    (heard) => heard.event === "device" && heard.row.thing === thing,
    ({ fleet, nowMs }, { clocks }) => clocks.tell(fleet, nowMs),
  );
  const { value } = watched.value;
  return (
    <>
      <Asked watched={watched.value} again={again}>
        {(device) => (
          <>
            <div class="columns">
              <Health device={device} />
              <Identity device={device} />
            </div>
            <Components device={device} />
          </>
        )}
      </Asked>
      <LogTail
        key={`${thing} ${component}`}
        thing={thing}
        line={line}
        component={component}
        components={value?.components.map((one) => one.component) ?? []}
      />
      {value !== undefined && (
        <div class="columns">
          <SelfTests device={value} />
          <section>
            <h2>{texts.value.deviceOf.history}</h2>
            <History device={value} />
          </section>
        </div>
      )}
    </>
  );
}

function Health({ device }: { readonly device: Device }) {
  const { texts } = useDesk();
  const { deviceOf, states, heard, state } = texts.value;
  const { fleet, because, seen, connection, job, waits, rollout, nucleus } = device;
  return (
    <section>
      <h2>{deviceOf.health}</h2>
      <Facts
        rows={[
          [state, <Status tone={stateTones[device.state]} word={states[device.state]} />],
          [deviceOf.because, because !== undefined && <Said text={because} />],
          [heard, <AgeOf fleet={fleet} seen={seen} />],
          [
            deviceOf.connection,
            connection !== undefined && (
              <>
                <Status
                  tone={connection.connected ? "good" : "off"}
                  word={connection.connected ? deviceOf.connected : deviceOf.disconnected}
                />{" "}
                <AgeOf fleet={fleet} seen={connection.seen} />
              </>
            ),
          ],
          [
            deviceOf.job,
            job !== undefined && (
              <>
                {job.status} <AgeOf fleet={fleet} seen={job.seen} />
              </>
            ),
          ],
          [deviceOf.update, waits !== undefined && <Status tone="busy" word={<WaitsFor waits={waits} />} />],
          [
            deviceOf.hardware,
            nucleus !== undefined &&
              `${nucleus.version}, ${nucleus.platform} ${nucleus.architecture}, ${nucleus.status}`,
          ],
          [
            texts.value.fleets.underWay,
            rollout !== undefined && <To place={{ page: "rollout", rollout }}>{rollout}</To>,
          ],
        ]}
      />
    </section>
  );
}

function Identity({
  device: { thing, fleet, cohort, site, registered, commissioningRecord },
}: {
  readonly device: Device;
}) {
  const { texts } = useDesk();
  const words = texts.value;
  const { deviceOf } = words;
  return (
    <section>
      <h2>{deviceOf.identity}</h2>
      {registered === undefined && <p>{deviceOf.gone}</p>}
      <Facts
        rows={[
          [words.device, thing],
          [words.fleet, `${fleet}, ${words.cohorts[cohort]}`],
          [words.site, site],
          [words.group, registered?.groups.join(", ")],
          ...Object.entries(registered?.attributes ?? {}).filter(([name]) => name !== "site"),
          [
            deviceOf.certificates,
            registered?.certificates.map(({ id, status }) => (
              <span key={id} class="one">
                <code>{id.slice(0, 12)}…</code> {status}
              </span>
            )),
          ],
          [
            deviceOf.report,
            commissioningRecord !== undefined && (
              <a href={commissioningRecord} download>
                JSON
              </a>
            ),
          ],
        ]}
      />
    </section>
  );
}

/** Lifecycle states as the nucleus spells them; every other is one on the way. */
const statusTones: Readonly<Record<string, Tone>> = {
  RUNNING: "good",
  FINISHED: "good",
  ERRORED: "bad",
  BROKEN: "bad",
};

function Components({ device: { fleet, components } }: { readonly device: Device }) {
  const { texts, language } = useDesk();
  const { component, version, heard, none, deviceOf } = texts.value;
  return (
    <section>
      <h2 id="components">{deviceOf.components}</h2>
      <div class="scrolls" tabIndex={0} role="region" aria-labelledby="components">
        <table>
          <thead>
            <tr>
              {[component, version, deviceOf.status, heard, deviceOf.started].map((word) => (
                <th key={word} scope="col">
                  {word}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {components.map((one) => (
              <tr key={one.component}>
                <td>{one.component}</td>
                <td>
                  {one.version}
                  {one.asked !== undefined && one.asked !== one.version && (
                    <>
                      {" "}
                      <Status tone="warn" word={`${deviceOf.asked}: ${one.asked}`} />
                    </>
                  )}
                </td>
                <td>
                  {one.status === undefined ? (
                    none
                  ) : (
                    <Status tone={statusTones[one.status] ?? "busy"} word={one.status} />
                  )}
                </td>
                <td>
                  <AgeOf fleet={fleet} seen={one.seen} />
                </td>
                <td>{one.startedMs === undefined ? none : timeText(one.startedMs, language.value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function SelfTests({ device: { selfTests } }: { readonly device: Device }) {
  const { texts, language } = useDesk();
  const { deviceOf } = texts.value;
  return (
    <section>
      <h2>{deviceOf.selfTests}</h2>
      {selfTests.length === 0 && <p>{deviceOf.noSelfTests}</p>}
      <ol class="plain">
        {selfTests.map(({ atMs, who, passed, ports }) => (
          <li key={atMs} class="entry">
            <p>
              <Status tone={passed ? "good" : "bad"} word={passed ? deviceOf.passed : deviceOf.failed} />{" "}
              <span class="quiet">
                {timeText(atMs, language.value)}, {who}
              </span>
            </p>
            <ul class="plain">
              {ports.map(({ port, sentence }) => (
                <li key={port}>
                  <code>{port}</code> <Said text={sentence} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  );
}

function History({ device: { history } }: { readonly device: Device }) {
  const { language } = useDesk();
  return (
    <ol class="plain">
      {history.toReversed().map(({ atMs, kind, sentence }) => (
        <li key={`${atMs} ${kind}`} class="entry">
          <span class="quiet">{timeText(atMs, language.value)}</span> <Said text={sentence} />
        </li>
      ))}
    </ol>
  );
}
