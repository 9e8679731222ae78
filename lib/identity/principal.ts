/** Who a session belongs to, as rules and recordings name it. Identity providers come with their own issue. */
export interface Principal {
  readonly name: string;
  readonly groups: readonly string[];
}
