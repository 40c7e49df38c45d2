/** `npm run synth`: CloudFormation templates into `cdk.out`, without network or credentials. */
import { parseArgs } from "node:util";
import { app } from "./app.ts";

const { values } = parseArgs({
  options: {
    context: { type: "string", multiple: true, short: "c" },
    output: { type: "string", default: "cdk.out" },
  },
});
const context = Object.fromEntries(
  (values.context ?? []).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
);
const { app: root, stacks } = app(context, values.output);
root.synth();
for (const stack of stacks) console.log(`${stack.stackName} → ${values.output}/${stack.templateFile}`);
