import { expect, test } from "vitest";
import { readContext } from "./context.ts";

test.each([
  [{ account: "12" }, 'context account is "12": an AWS account has 12 digits'],
  [{ region: "mars-1" }, 'context region is "mars-1": Greengrass V2 is in ap-northeast-1'],
  [{ regions: "us-west-1" }, "context regions is"],
  [{ colour: "red" }, "context colour is not known; known are name, account, region"],
  [{ account: "111122223333" }, "context connectionArn is missing"],
  [{ account: "111122223333", source: "codecommit" }, "context consoleDomain is missing"],
  [{ account: "111122223333", source: "codecommit", console: "false" }, "context signers is missing"],
  [{ signers: "nowhere.json" }, "the trusted keys cannot be read from"],
  [{ signers: '{"version":1,"signers":[]}' }, "is no list of trusted keys"],
  [{ repositoryName: "r".repeat(101) }, "a repository's name has at most 100 characters"],
  [{ environments: '[{"account":"111122223333"}]' }, "context environments.0.name is missing"],
  [{ environments: `[{"name":"${"n".repeat(21)}"}]` }, "an environment's name has 1 to 20"],
  [{ environments: '[{"name":"a"},{"name":"b"}]' }, "have the same account 123456789012"],
  [{ existingGroups: "nothing" }, "context existingGroups cannot be read"],
  [
    { existingGroups: '[{"thingGroupName":"coalmine-main","queryString":"thingName:core*"}]' },
    "exists as a dynamic group (thingName:core*)",
  ],
  [
    {
      existingGroups: '[{"thingGroupName":"coalmine-main","thingGroupMetadata":{"parentGroupName":"plant"}}]',
    },
    "exists below plant",
  ],
])("the context %j is refused with what to change", (context, sentence) => {
  expect(() => readContext(context)).toThrow(sentence);
});

test("a group that exists as the stack would make it is left alone", () => {
  expect(readContext({ existingGroups: '[{"thingGroupName":"coalmine-main"}]' }).existingGroups).toEqual([
    "coalmine-main",
  ]);
});
