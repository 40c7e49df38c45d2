/** `npm run synth`: CloudFormation templates into `cdk.out`, without network or credentials. */
import { parseArgs } from "node:util";
import { app } from "./app.ts";
import { ContextError } from "./context.ts";

const USAGE = 2;
const { values } = parseArgs({
  options: {
    context: { type: "string", multiple: true, short: "c" },
    output: { type: "string", default: "cdk.out" },
  },
});
const context = Object.fromEntries(
  (values.context ?? []).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
);
try {
  const { app: root } = app(context, values.output);
  for (const { stackName, templateFullPath } of root.synth().stacksRecursively)
    console.log(`${stackName} → ${templateFullPath}`);
} catch (failure) {
  if (!(failure instanceof ContextError)) throw failure;
  console.error(failure.message);
  process.exitCode = USAGE;
}
