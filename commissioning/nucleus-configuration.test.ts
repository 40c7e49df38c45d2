import { expect, test } from "vitest";
import { parse } from "yaml";
import { nucleusConfiguration } from "./nucleus-configuration.ts";
import { CommissionOptions } from "./options.ts";
import { placesOf } from "./places.ts";

const settings = {
  serial: "core-7",
  site: "laboratory-3",
  root: "/greengrass/v2",
  claimEndpoint: "https://claims.example.com",
  rootCaFile: "/ca.pem",
  region: "eu-west-1",
  iotDataEndpoint: "data.example.com",
  iotCredEndpoint: "credentials.example.com",
};
const configured = (more: object): unknown => {
  const options = CommissionOptions.parse({ ...settings, ...more });
  const written = parse(nucleusConfiguration(options, placesOf(options), "core-7")) as {
    services: Record<string, { configuration: object }>;
  };
  return written.services["aws.greengrass.Nucleus"]?.configuration;
};

test("the user that components run as is the nucleus's default, where one is named", () => {
  expect(configured({ componentDefaultUser: "ggc_user:ggc_group" })).toMatchObject({
    runWithDefault: { posixUser: "ggc_user:ggc_group" },
  });
  expect(configured({})).not.toHaveProperty("runWithDefault");
  expect(() => configured({ componentDefaultUser: "a b" })).toThrow("user or user:group");
});
