import { type Proxy, Secret } from "@coalmine/site";
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
const configured = (more: object, proxy?: Proxy): unknown => {
  const options = CommissionOptions.parse({ ...settings, ...more });
  const written = parse(nucleusConfiguration(options, placesOf(options), "core-7", proxy)) as {
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

test("the building's proxy stands in the nucleus's own words, with an account and exceptions where there are some", () => {
  const proxy = { host: "proxy.ward.example", port: 3128 };
  expect(configured({}, proxy)).toMatchObject({
    networkProxy: { proxy: { url: "http://proxy.ward.example:3128" } },
  });
  const account = { user: "ward", password: new Secret("pr0xy-pw") };
  expect(configured({}, { ...proxy, account, exceptions: ["10.1.2.3", "s3.local"] })).toHaveProperty(
    "networkProxy",
    {
      noProxyAddresses: "10.1.2.3,s3.local",
      proxy: { url: "http://proxy.ward.example:3128", username: "ward", password: "pr0xy-pw" },
    },
  );
  expect(configured({})).not.toHaveProperty("networkProxy");
});
