export interface Scenario {
  readonly name: string;
  run(say: (line: string) => void): void;
}
export const SCENARIOS: readonly Scenario[] = [];
