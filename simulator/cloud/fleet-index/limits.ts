/** @see https://docs.aws.amazon.com/general/latest/gr/iot_device_management.html#fleet-indexing-limits */
export const limits = {
  queryCharactersMax: 1000,
  termsMax: 12,
  leadingWildcardsMax: 1,
  /** Of a query that has a leading wildcard. */
  leadingWildcardCharactersMax: 100,
  namedShadowsMax: 10,
} as const;
