/** What is told of rosters, as an entry of the event log and as one line for people. */
import type { HostName } from '../core/basics.ts';
import type { LogEntry } from '../core/effects.ts';
import { versionHash } from '../trust/roster.ts';
import type { Fork } from '../trust/roster-merge.ts';
import type { RosterNews } from './rosters.ts';

export function describeNews(
  from: HostName | null,
  news: RosterNews,
): Pick<LogEntry, 'text'> & { data: NonNullable<LogEntry['data']> } {
  const source = from ?? 'this host';
  switch (news.kind) {
    case 'taken': {
      const { version, hash } = news.roster;
      const left = news.fork === null ? '' : `, leaving ${forkText(news.fork)}`;
      return {
        text: `roster version ${version} from ${source}${left}`,
        data: { version, hash: hexOf(hash), from },
      };
    }
    case 'settled':
      return { text: `roster version ${news.version} is settled`, data: { version: news.version } };
    case 'forked':
      return {
        text: `${source} shows a second roster, which is not taken: ${forkText(news.fork)}`,
        data: { version: news.fork.version, theirs: hexOf(versionHash(news.fork.theirs)), from },
      };
    case 'refused': {
      const { version, reason } = news;
      const which = version === null ? 'a roster' : `roster version ${version}`;
      return { text: `${which} from ${source} is refused: ${reason}`, data: { version, reason, from } };
    }
    default:
      return news satisfies never;
  }
}

function forkText({ version, ours, theirs }: Fork): string {
  const short = (bytes: Uint8Array) => hexOf(versionHash(bytes)).slice(0, 16);
  return `version ${version} was signed twice (${short(ours)} here, ${short(theirs)} there)`;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
