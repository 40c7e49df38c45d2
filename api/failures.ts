import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { FoldedRollout } from "../pipeline/controller/folded.ts";
import { folderOf } from "../pipeline/controller/kept-bundle.ts";
import { readerKey } from "../pipeline/controller/looks.ts";
import { EvidenceReader, ReaderState } from "../pipeline/evidence/evidence-reader.ts";
import { EvidenceStore } from "../pipeline/evidence/evidence-store.ts";
import { clientSettings } from "../pipeline/target.ts";
import { whatFailed } from "../pipeline/why/what-failed.ts";
import type { Api } from "./api.ts";

/** How devices failed that a target was halted for, as they said it then: meanwhile they may be well again. */
export async function failuresOf(api: Api, { id, planned }: FoldedRollout): Promise<string[]> {
  const sentences: string[] = [];
  for (const [name, state] of Object.entries(planned?.rollout.targets ?? {})) {
    const target = api.targets.find((one) => one.name === name);
    const atMs = haltedAtMs(state);
    if (target === undefined || atMs === undefined || state.assignedAtMs === undefined) continue;
    const dynamodb = new DynamoDBClient(clientSettings(target));
    try {
      const read = await api.kept.read(readerKey(folderOf(id, name)), ReaderState);
      const reader = new EvidenceReader(new EvidenceStore(dynamodb, name), read ?? state.assignedAtMs);
      const failed = whatFailed(await reader.tallyAt(atMs), state.exposed, atMs);
      sentences.push(...failed.map((way) => `${name}: ${way}.`));
    } finally {
      dynamodb.destroy();
    }
  }
  return sentences;
}

type State = NonNullable<FoldedRollout["planned"]>["rollout"]["targets"][string];

function haltedAtMs({ assignedAtMs, verdict, watch }: State): number | undefined {
  if (watch?.seen?.verdict === "HALT") return watch.seen.atMs;
  return verdict?.verdict === "HALT" && assignedAtMs !== undefined
    ? assignedAtMs + verdict.elapsedMs
    : undefined;
}
