/** Both sides of the comparison: the model's answers from Spin, the code's from `step`. */
import { type HostState, type ServiceState, step } from '../../src/core/index.ts';
import { abstractHost, abstractStep } from './abstract.ts';
import { concretise } from './concrete.ts';
import { eventName, NOW, SERVICE } from './concrete-cluster.ts';
import { type SpinProgram, spinProgram } from './spin.ts';
import {
  ALL_FIELDS,
  ANSWER_BYTES,
  type Answer,
  DONE,
  HOST_FIELDS,
  HOST_PML,
  HOSTS,
  packAnswer,
  SAID,
  unpack,
  unpackAnswer,
  type Vector,
} from './vector.ts';

export type Step = typeof step;
const number = (host: string): number => HOSTS.indexOf(host as (typeof HOSTS)[number]);

/** The model as a program: Spin's verifier for enumerate.pml, in a directory of its own. */
export class ModelProgram {
  readonly #program: SpinProgram;
  readonly #mutants: number;

  /** `hostPml`: spec/model/host.pml, or a text that holds so many variants of it besides: with them it is for the whole domain. */
  constructor(hostPml: string = HOST_PML, mutants = 0) {
    this.#mutants = mutants;
    this.#program = spinProgram(
      'enumerate.pml',
      { 'host.pml': hostPml },
      [`-DMUTANTS=${mutants}`],
      mutants > 0,
    );
  }

  /** The model's answers to all vectors; of each variant, the first vector that it answers in another way. */
  answers(vectors: Buffer): { answers: Buffer; caught: (number | null)[] } {
    const out = this.#program.run(vectors);
    const size = vectors.length / ALL_FIELDS.length;
    const answers = out.subarray(0, size * ANSWER_BYTES);
    if (out.length !== size * ANSWER_BYTES + 4 * this.#mutants) throw new Error('the model stopped half-way');
    const caught = Array.from({ length: this.#mutants }, (_, i) => {
      const first = out.readUInt32LE(answers.length + 4 * i);
      return first === 0xffffffff ? null : first;
    });
    return { answers, caught };
  }

  close(): void {
    this.#program.close();
  }
}

/** The code's answer; the message of what it threw instead. */
export function codeAnswer(v: Vector, variant: number, by: Step = step): Answer | string {
  const { state, event, from } = concretise(v, variant);
  try {
    const after = by(state, event, NOW);
    return abstractStep(state, after.state, SERVICE, after.effects, NOW, number, from);
  } catch (error) {
    return String(error);
  }
}

/** A field that the state made for a vector does not have as the vector says; null when it has them all. */
export function unfaithful(v: Vector, state: HostState): string | null {
  const is = abstractHost(state, state.services[SERVICE] as ServiceState, NOW, number);
  const wrong = HOST_FIELDS.find((field) => is[field] !== v[field]);
  return wrong === undefined ? null : `${wrong} is ${is[wrong]} instead of ${v[wrong]}`;
}

export interface Difference {
  readonly index: number;
  readonly text: string;
}

/** Compares the vectors, or those that `order` names, until so many differences were found. */
export function compare(
  vectors: Buffer,
  answers: Buffer,
  by: Step,
  options: { limit: number; order?: Uint32Array },
): Difference[] {
  const found: Difference[] = [];
  const own = Buffer.alloc(ANSWER_BYTES);
  const size = options.order?.length ?? vectors.length / ALL_FIELDS.length;
  for (let k = 0; k < size && found.length < options.limit; k++) {
    const i = options.order?.[k] ?? k;
    const v = unpack(vectors, i * ALL_FIELDS.length);
    const answer = codeAnswer(v, i & 3, by);
    const theirs = answers.subarray(i * ANSWER_BYTES, (i + 1) * ANSWER_BYTES);
    if (typeof answer !== 'string') {
      packAnswer(answer, own, 0);
      if (own.equals(theirs)) continue;
    }
    const text = `${line(v)}\n  model ${line(v, unpackAnswer(theirs, 0))}\n  code  ${typeof answer === 'string' ? answer : line(v, answer)}`;
    found.push({ index: i, text });
  }
  return found;
}

/** A vector as text: place, event and every bit that is not zero; or what came of it, with the bits that changed. */
export function line(v: Vector, answer?: Answer): string {
  const fields = (list: readonly string[], of: Vector, other?: Vector) =>
    list
      .filter((f) => f !== 'place' && f !== 'ev' && of[f] !== (other?.[f] ?? 0))
      .map((f) => `${f}=${of[f]}`)
      .join(' ');
  if (answer === undefined) return `${v.place} ${eventName(v)} ${fields(ALL_FIELDS, v)}`;
  const names = (list: readonly [string, number][], bits: number) =>
    list.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
  const out = [...names(SAID, answer.said), ...names(DONE, answer.done)].join(' ');
  const odd = (answer.said & 0x8000) !== 0 ? ' ODD' : '';
  const rows = answer.rows.map((row) => `T${row}`).join('+');
  return `-> ${answer.host.place} ${rows} [${out}${odd}] ${fields(HOST_FIELDS, answer.host, v)}`;
}
