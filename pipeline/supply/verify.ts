import { compareVersions } from "@coalmine/recipe";
import { opened, readEnvelope } from "./envelope.ts";
import type { Signers } from "./signers.ts";
import { digestsOf, type Statement, statementOf } from "./statement.ts";
import { SupplyError } from "./supply-error.ts";

/** A component version as somebody found it. */
export interface Found {
  readonly component: string;
  readonly version: string;
  /** Subject (as `subjects` names it) → the SHA-256 of what is there; undefined where it should be and is not. */
  readonly digests: ReadonlyMap<string, string | undefined>;
  /** The text of its envelope, where there is one. */
  readonly envelope: string | undefined;
  /** What runs now: an older version is none that a release brings. */
  readonly running?: string | undefined;
}

/** Refuses a component version that is not, to the byte, what a trusted key has signed; gives the statement. */
export function verifyComponent(found: Found, signers: Signers): Statement {
  const { component, version, envelope, digests, running } = found;
  const what = `${component} ${version}`;
  if (envelope === undefined)
    throw new SupplyError(
      "ERR_SUPPLY_UNSIGNED",
      `${what} is not signed; sign its build with \`coalmine component sign\`, commit what it writes, and push again`,
    );
  const statement = statementOf(opened(readEnvelope(envelope, what), signers, what), component, version);
  const signed = digestsOf(statement);
  for (const [subject, digest] of digests)
    if (digest === undefined || signed.get(subject) !== digest)
      throw new SupplyError(
        "ERR_SUPPLY_DIGEST",
        `${subject} of ${what} has the SHA-256 ${digest ?? "of nothing: it is not there"}, and ${signed.get(subject) ?? "none"} was signed; do not deploy it, and find out who changed it`,
      );
  if (running !== undefined && compareVersions(version, running) < 0)
    throw new SupplyError(
      "ERR_SUPPLY_STATEMENT",
      `${what} is signed, and older than ${running}, which runs: an old release is not pushed again; take its sources, run npm run bump, and sign that`,
    );
  return statement;
}
