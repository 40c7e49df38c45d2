import type { AuditLog } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import type { Refusal } from "../door/asking.ts";
import { filled } from "../door/asking.ts";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import type { AuditAsked } from "../place/place.ts";
import { Asked, Refused, Said } from "../shown/asked.tsx";
import { countText, timeText } from "../shown/figures.ts";
import { To } from "../shown/link.tsx";
import { Status } from "../shown/status.tsx";
import { type ChainFinding, verifyChain } from "./chain.ts";

const formats = ["csv", "json", "html"] as const;

/** Who did what, when and why; and whether the log is what was written. */
export function AuditPage({ asked }: { readonly asked: AuditAsked }) {
  const { texts, language, go, files } = useDesk();
  const query = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ""));
  const { watched, again } = useWatched(
    JSON.stringify(query),
    ({ ask }) => ask("auditLog", query),
    ({ event }) => event === "entry",
  );
  const { audit, reason } = texts.value;
  const change = (part: Partial<AuditAsked>): void =>
    go({ page: "audit", asked: { ...asked, ...part } }, "replaces");
  const field = (label: string, name: "rollout" | "who" | "text") => (
    <label class="field">
      {label}
      <input
        type="search"
        data-search={name === "text" ? true : undefined}
        value={asked[name]}
        onChange={({ currentTarget }) => change({ [name]: currentTarget.value })}
      />
    </label>
  );
  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        {field(audit.text, "text")}
        {field(audit.who, "who")}
        {field(audit.rollout, "rollout")}
        <label class="option">
          <input
            type="checkbox"
            checked={asked.people === "true"}
            onChange={({ currentTarget }) => change({ people: currentTarget.checked ? "true" : "" })}
          />
          {audit.people}
        </label>
      </form>
      <p>
        {audit.export}:{" "}
        {formats.map((as) => (
          <>
            <a key={as} href={filled(files.auditExport, { ...query, as })} download={`audit.${as}`}>
              {as.toUpperCase()}
            </a>{" "}
          </>
        ))}
      </p>
      <Asked watched={watched.value} again={again}>
        {({ lines, verified, more }) => (
          <>
            <Chains verified={verified} />
            {lines.length === 0 && <p>{audit.empty}</p>}
            <ol class="plain">
              {lines.map(({ rollout, sequence, atMs, kind, who, reason: why, sentence }) => (
                <li key={`${rollout} ${sequence}`} class="entry">
                  <p class="quiet">
                    {timeText(atMs, language.value)} · <To place={{ page: "rollout", rollout }}>{rollout}</To>{" "}
                    #{sequence} · <code>{kind}</code>
                  </p>
                  <p>
                    <strong>{who ?? audit.controller}</strong> <Said text={sentence} />
                  </p>
                  {why !== undefined && (
                    <p>
                      {reason}: <q>{why}</q>
                    </p>
                  )}
                </li>
              ))}
            </ol>
            {more && <p>{audit.more}</p>}
          </>
        )}
      </Asked>
    </>
  );
}

/** Of each rollout: what the server says of its chain, and what this browser finds itself. */
function Chains({ verified }: Pick<AuditLog, "verified">) {
  const { texts, language } = useDesk();
  const { audit } = texts.value;
  return (
    <details>
      <summary>
        {audit.chains}{" "}
        {verified.every(({ ok }) => ok) ? (
          <Status
            tone="good"
            word={audit.whole(
              countText(
                verified.reduce((sum, { entries }) => sum + entries, 0),
                language.value,
              ),
            )}
          />
        ) : (
          <Status tone="bad" word={audit.broken} />
        )}
      </summary>
      <ul class="plain">
        {verified.map(({ rollout, ok, entries, head, because }) => (
          <li key={rollout} class="entry">
            <p>
              <To place={{ page: "rollout", rollout }}>{rollout}</To>{" "}
              <Status
                tone={ok ? "good" : "bad"}
                word={ok ? audit.whole(countText(entries, language.value)) : audit.broken}
              />{" "}
              {because !== undefined && <Said text={because} />}
              {head !== undefined && <code class="hash">{head}</code>}
            </p>
            <VerifyHere rollout={rollout} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function VerifyHere({ rollout }: { readonly rollout: string }) {
  const { ask, texts, language } = useDesk();
  const found = useSignal<
    ChainFinding | { readonly kind: "asking" } | ({ readonly kind: "refused" } & Refusal) | undefined
  >(undefined);
  const { audit } = texts.value;
  const verify = async (): Promise<void> => {
    found.value = { kind: "asking" };
    const answered = await ask("audit", { rollout });
    found.value =
      answered.kind === "answer" ? await verifyChain(answered.value) : { ...answered, kind: "refused" };
  };
  const now = found.value;
  return (
    <>
      <button type="button" onClick={() => void verify()}>
        {audit.verify}
      </button>{" "}
      <span role="status">
        {now?.kind === "asking" && audit.verifying}
        {now?.kind === "whole" && (
          <>
            <Status
              tone="good"
              word={audit.verified(countText(now.entries, language.value), now.head.slice(0, 16))}
            />
          </>
        )}
        {now?.kind === "broken" && <Status tone="bad" word={audit.breaks(String(now.sequence))} />}
        {now?.kind === "refused" && <Refused refusal={now} />}
      </span>
      <p class="quiet">
        {audit.command}: <code>coalmine audit verify {rollout}</code>
      </p>
    </>
  );
}
