/** The `post-receive` hook: what it prints, the pusher reads. A push is never lost: it is in the repository already. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CodePipelineClient } from "@aws-sdk/client-codepipeline";
import { messageOf } from "@coalmine/runtime";
import { parsePushes, receive } from "./receive.ts";
import { HookSettings } from "./repository.ts";

const repository = process.argv[2] ?? process.cwd();
const settings = HookSettings.parse(JSON.parse(readFileSync(join(repository, "coalmine-hook.json"), "utf8")));
const { accessKeyId, secretAccessKey, region, endpoint } = settings;
const codepipeline = new CodePipelineClient({
  region,
  endpoint,
  credentials: { accessKeyId, secretAccessKey },
  maxAttempts: 2,
});
for (const push of parsePushes(readFileSync(0, "utf8"))) {
  try {
    for (const line of await receive(repository, push, codepipeline, settings.roleArn))
      console.log(`coalmine: ${line}`);
  } catch (failure) {
    console.log(
      `coalmine: ${push.commit.slice(0, 12)} is kept, but its pipeline did not start: ${messageOf(failure)}. Is \`npm start\` running? Push again when it is.`,
    );
    process.exitCode = 1;
  }
}
