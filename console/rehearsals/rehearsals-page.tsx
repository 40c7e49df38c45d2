import { filled } from "../door/asking.ts";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { Asked, Said } from "../shown/asked.tsx";
import { durationText, timeText } from "../shown/figures.ts";
import { To } from "../shown/link.tsx";
import { Status } from "../shown/status.tsx";

/** What was tried on the simulated fleet before any device had it. */
export function RehearsalsPage() {
  const { texts, language } = useDesk();
  const { watched, again } = useWatched(
    "rehearsals",
    ({ ask }) => ask("rehearsals"),
    ({ event }) => event === "entry",
  );
  const { rehearsals: words } = texts.value;
  return (
    <Asked watched={watched.value} again={again}>
      {({ rehearsals }) => (
        <>
          {rehearsals.length === 0 && <p>{words.empty}</p>}
          <ul class="plain cards">
            {rehearsals.map(({ commit, atMs, passed, verdict }) => (
              <li key={commit} class="card">
                <h2>
                  <To place={{ page: "rehearsal", commit }}>{commit.slice(0, 12)}</To>
                </h2>
                <p>
                  <Outcome passed={passed} /> <Said text={verdict} />
                </p>
                <p class="quiet">{timeText(atMs, language.value)}</p>
              </li>
            ))}
          </ul>
        </>
      )}
    </Asked>
  );
}

/** What the API has it as, and what that is called. */
const reports = [
  ["html", "HTML"],
  ["xml", "JUnit"],
] as const;

export function RehearsalPage({ commit }: { readonly commit: string }) {
  const { texts, language, files } = useDesk();
  const { watched, again } = useWatched(
    commit,
    ({ ask }) => ask("rehearsal", { commit }),
    () => false,
  );
  const { rehearsals: words } = texts.value;
  return (
    <Asked watched={watched.value} again={again}>
      {({ passed, verdict, atMs, seconds, checks }) => (
        <>
          <p class="sentence">
            <Outcome passed={passed} /> <Said text={verdict} />
          </p>
          <p>
            {words.report}:{" "}
            {reports.map(([as, name]) => (
              <>
                <a
                  key={as}
                  href={filled(files.rehearsalReport, { commit, as })}
                  download={`rehearsal-${commit}.${as}`}
                >
                  {name}
                </a>{" "}
              </>
            ))}
          </p>
          <p class="quiet">
            {timeText(atMs, language.value)}, {words.took(durationText(seconds * 1000, language.value))}
          </p>
          <div class="scrolls" tabIndex={0} role="region" aria-label={words.check}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{words.check}</th>
                  <th scope="col">{words.verdict}</th>
                  <th scope="col">{words.found}</th>
                </tr>
              </thead>
              <tbody>
                {checks
                  .toSorted((a, b) => Number(a.ok) - Number(b.ok))
                  .map(({ name, ok, found }) => (
                    <tr key={name}>
                      <th scope="row" lang="en">
                        {name}
                      </th>
                      <td>
                        <Outcome passed={ok} />
                      </td>
                      <td lang="en">{found}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </Asked>
  );
}

function Outcome({ passed }: { readonly passed: boolean }) {
  const { rehearsals } = useDesk().texts.value;
  return <Status tone={passed ? "good" : "bad"} word={passed ? rehearsals.passed : rehearsals.failed} />;
}
