import type { Proxy } from "@coalmine/site";
import { stringify } from "yaml";
import type { CommissionOptions } from "./options.ts";
import type { Places } from "./places.ts";

/**
 * The core device's `config/config.yaml`, with the nucleus's own keys.
 * @see https://docs.aws.amazon.com/greengrass/v2/developerguide/greengrass-nucleus-component.html
 */
export function nucleusConfiguration(
  options: CommissionOptions,
  places: Places,
  thingName: string,
  proxy?: Proxy,
): string {
  const { greengrassDataPlaneEndpoint, deploymentPollingFrequencySeconds, componentDefaultUser } = options;
  return stringify({
    system: {
      thingName,
      certificateFilePath: places.certificate,
      privateKeyPath: places.privateKey,
      rootCaPath: places.rootCa,
      rootpath: options.root,
    },
    services: {
      "aws.greengrass.Nucleus": {
        configuration: {
          awsRegion: options.region,
          iotRoleAlias: options.roleAlias,
          iotDataEndpoint: options.iotDataEndpoint,
          mqtt: { port: options.mqttPort },
          iotCredEndpoint: options.iotCredEndpoint,
          ...(greengrassDataPlaneEndpoint === undefined ? {} : { greengrassDataPlaneEndpoint }),
          greengrassDataPlanePort: options.greengrassDataPlanePort,
          ...(componentDefaultUser === undefined
            ? {}
            : { runWithDefault: { posixUser: componentDefaultUser } }),
          ...(deploymentPollingFrequencySeconds === undefined ? {} : { deploymentPollingFrequencySeconds }),
          ...(proxy === undefined ? {} : { networkProxy: networkProxy(proxy) }),
        },
      },
    },
  });
}

function networkProxy({ host, port, account, exceptions = [] }: Proxy): object {
  return {
    ...(exceptions.length === 0 ? {} : { noProxyAddresses: exceptions.join(",") }),
    proxy: {
      url: `http://${host}:${port}`,
      ...(account === undefined ? {} : { username: account.user, password: account.password.reveal() }),
    },
  };
}
