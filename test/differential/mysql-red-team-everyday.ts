/** What drivers, ORMs and dashboards send all day: through the gateway it gives the same answers as direct. */

export const MYSQL_EVERYDAY: readonly (readonly string[])[] = [
  ['SELECT 1'],
];
