import type { Fleet } from "@coalmine/contract/operator-api";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { everyDevice } from "../place/place.ts";
import { AgeOf } from "../shown/age.tsx";
import { Asked } from "../shown/asked.tsx";
import { counted, countText, timeText } from "../shown/figures.ts";
import { To } from "../shown/link.tsx";
import { statesWorstFirst, stateTones, Status } from "../shown/status.tsx";

/** Every device that is heard may change a count: they are counted this often. */
const COUNTED_MS = 5000;

/** Every fleet, or one: how its cohorts are, and what they run. */
export function FleetsPage({ only }: { readonly only: string | undefined }) {
  const { texts } = useDesk();
  const { watched, again } = useWatched(
    "fleets",
    ({ ask }) => ask("fleets"),
    ({ event }) => event !== "beat",
    ({ fleets }, { clocks }) => fleets.forEach(({ fleet, nowMs }) => clocks.tell(fleet, nowMs)),
    COUNTED_MS,
  );
  return (
    <Asked watched={watched.value} again={again}>
      {({ fleets }) =>
        fleets.length === 0 ? (
          <p>{texts.value.fleets.empty}</p>
        ) : (
          fleets
            .filter(({ fleet }) => only === undefined || only === fleet)
            .map((fleet) => <One key={fleet.fleet} fleet={fleet} />)
        )
      }
    </Asked>
  );
}

function One({
  fleet: { fleet, region, seen, devices, byState, groups, installed, rollout },
}: {
  readonly fleet: Fleet;
}) {
  const { texts, language } = useDesk();
  const { fleets, component, version, cohorts } = texts.value;
  const count = (value: number): string => countText(value, language.value);
  return (
    <section class="card" aria-labelledby={`fleet-${fleet}`}>
      <header>
        <h2 id={`fleet-${fleet}`}>
          <To place={{ page: "devices", filter: { ...everyDevice, fleet } }}>{fleet}</To>
        </h2>
        <p class="quiet">
          {region} · {fleets.devices(counted(devices, language.value))} · {texts.value.heard}{" "}
          <AgeOf fleet={fleet} seen={seen} />
        </p>
        {rollout !== undefined && (
          <p>
            <Status tone="busy" word={fleets.underWay} />:{" "}
            <To place={{ page: "rollout", rollout }}>{rollout}</To>
          </p>
        )}
      </header>
      <States filter={{ fleet }} byState={byState} />
      <h3>{fleets.groups}</h3>
      <ul class="plain groups">
        {groups.map((group) => (
          <li key={group.group}>
            <Group fleet={fleet} group={group} />
          </li>
        ))}
      </ul>
      {installed.length > 0 && (
        <>
          <h3>{fleets.installed}</h3>
          <div class="scrolls" tabIndex={0} role="region" aria-label={`${fleets.installed}: ${fleet}`}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{component}</th>
                  <th scope="col">{version}</th>
                  <th scope="col" class="figure">
                    {cohorts.canary}
                  </th>
                  <th scope="col" class="figure">
                    {cohorts.main}
                  </th>
                  <th scope="col">{fleets.drifted}</th>
                </tr>
              </thead>
              <tbody>
                {installed.map((line) => (
                  <tr key={`${line.component}@${line.version}`}>
                    <td>{line.component}</td>
                    <td>
                      <To
                        place={{
                          page: "devices",
                          filter: { ...everyDevice, fleet, runs: `${line.component}@${line.version}` },
                        }}
                      >
                        {line.version}
                      </To>
                    </td>
                    <td class="figure">{count(line.canary)}</td>
                    <td class="figure">{count(line.main)}</td>
                    <td>
                      {line.drifted === 0 ? (
                        texts.value.none
                      ) : (
                        <Status tone="warn" word={fleets.drift(counted(line.drifted, language.value))} />
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

function Group({
  fleet,
  group: { group, cohort, devices, byState, inForce },
}: {
  readonly fleet: string;
  readonly group: Fleet["groups"][number];
}) {
  const { texts, language } = useDesk();
  const { cohorts, fleets } = texts.value;
  return (
    <>
      <p>
        <strong>{cohorts[cohort]}</strong> <span class="quiet">{group}</span>{" "}
        {fleets.devices(counted(devices, language.value))}
      </p>
      <States filter={{ fleet, cohort }} byState={byState} />
      {inForce !== undefined && (
        <p class="quiet">
          {texts.value.revision} {inForce.revision}
          {inForce.sinceMs !== undefined && <> {fleets.since(timeText(inForce.sinceMs, language.value))}</>}
        </p>
      )}
    </>
  );
}

/** How many are how, worst first; each leads to them. */
function States({
  filter,
  byState,
}: {
  readonly filter: { readonly fleet: string; readonly cohort?: string };
  readonly byState: Fleet["byState"];
}) {
  const { texts, language } = useDesk();
  const there = statesWorstFirst.filter((state) => byState[state] > 0);
  return (
    <ul class="plain states">
      {there.map((state) => (
        <li key={state}>
          <To place={{ page: "devices", filter: { ...everyDevice, ...filter, state } }}>
            <Status
              tone={stateTones[state]}
              word={`${countText(byState[state], language.value)} ${texts.value.states[state]}`}
            />
          </To>
        </li>
      ))}
    </ul>
  );
}
