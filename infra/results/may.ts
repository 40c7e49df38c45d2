import { RESULTS_TABLE } from "../handlers/results/shelf.ts";
import { allow, arn, bucketArn, byKey, type Place, type Statement } from "../policies/statement.ts";

/** What taking results in and telling them may do: by the table, or by files of the lake. */
export function resultsMay(
  place: Place,
  lake: string,
  how: "api" | "s3",
): { readonly intake: readonly Statement[]; readonly ask: readonly Statement[] } {
  const read = allow(["s3:GetObject"], bucketArn(place, `${lake}/measurements/*`));
  const table = arn(place, "dynamodb", `table/${RESULTS_TABLE}`);
  if (how === "api")
    return {
      intake: [read, byKey(place, ["s3"]), allow(["dynamodb:PutItem"], table)],
      ask: [allow(["dynamodb:Query"], table)],
    };
  const files = allow(["s3:GetObject", "s3:PutObject"], bucketArn(place, `${lake}/results/*`));
  // Without it S3 says of a file that is not there yet that one may not know.
  const list: Statement = {
    ...allow(["s3:ListBucket"], bucketArn(place, lake)),
    Condition: { StringLike: { "s3:prefix": ["results/*"] } },
  };
  return { intake: [read, files, list, byKey(place, ["s3"])], ask: [] };
}
