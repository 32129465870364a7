/** Materials on their way from the primary to a worker, among everything else that goes there. */
import t from 'tap';
import { Materials } from '../../lib/auth/materials.ts';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import type { ToWorker } from '../../lib/ipc/protocol.ts';
import { WorkerChannel } from '../../lib/primary/worker-channel.ts';

const HEAD = { revision: 1, id: 'one', parent: null, at: '' };
const CURRENT = { head: HEAD, configuration: EMPTY_CONFIGURATION };

function openChannel() {
  const sent: ToWorker[] = [];
  const leaving: (() => void)[] = [];
  const channel = new WorkerChannel((message, onSent) => {
    sent.push(message);
    if (onSent !== undefined) leaving.push(onSent);
  });
  const letLeave = () => {
    for (let next = leaving.shift(); next !== undefined; next = leaving.shift()) next();
  };
  return { channel, sent, letLeave, types: () => sent.map(({ type }) => type) };
}

t.test('a worker has all materials before its configuration', (t) => {
  const { channel, sent, letLeave, types } = openChannel();
  const large = 'x'.repeat(200_000);
  const materials = ['a', 'b', 'c'].map((name) => ({ name, value: large }));
  channel.sendMaterials([{ name: 'early', value: 'is part of what it starts with' }]);
  channel.start(CURRENT, [], materials);
  t.same(types(), ['materials']);
  letLeave();
  t.same(types(), ['materials', 'materials', 'materials', 'transferBegin', 'transferEnd']);
  t.same(sent[0], { type: 'materials', materials: [{ name: 'a', value: large }], gone: [] });
  t.end();
});

t.test('changes that were made together go together, and what is gone is named', (t) => {
  const { channel, sent, letLeave } = openChannel();
  channel.start(CURRENT);
  letLeave();
  sent.length = 0;
  channel.sendMaterials([
    { name: 'cert', value: 'c' },
    { name: 'key', value: null },
    { name: 'old', value: undefined },
  ]);
  t.same(sent, [
    {
      type: 'materials',
      materials: [
        { name: 'cert', value: 'c' },
        { name: 'key', value: null },
      ],
      gone: ['old'],
    },
  ]);
  t.end();
});

t.test('the answer to a refresh comes after what is newer', (t) => {
  const { channel, letLeave, types } = openChannel();
  channel.start(CURRENT);
  letLeave();
  channel.sendMaterials([{ name: 'first', value: '1' }]);
  channel.sendMaterials([{ name: 'jwks', value: '2' }]);
  channel.sendRefreshed('jwks', true);
  t.same(types().slice(-1), ['materials']);
  letLeave();
  t.same(types().slice(-3), ['materials', 'materials', 'refreshed']);
  channel.sendRefreshed('jwks', true);
  t.same(types().slice(-1), ['refreshed'], 'at once where there is nothing newer');
  t.end();
});

t.test('a worker that asks for newer keys has them when it is answered', async (t) => {
  const asked: string[] = [];
  const { channel, sent, letLeave } = openChannel();
  const materials = new Materials((name) => asked.push(name));
  channel.start(CURRENT, [], [{ name: 'jwks', value: 'old' }]);
  letLeave();
  const deliver = () => {
    for (const message of sent.splice(0)) {
      if (message.type === 'materials') materials.take(message.materials);
      if (message.type === 'refreshed') materials.settle(message.name, message.hasLooked);
    }
  };
  deliver();
  const material = materials.get('jwks');
  t.equal(material.value, 'old');
  const refreshed = materials.refresh(material);
  t.same(asked, ['jwks']);
  channel.sendMaterials([{ name: 'jwks', value: 'new' }]);
  channel.sendRefreshed('jwks', true);
  letLeave();
  deliver();
  t.equal(await refreshed, true);
  t.equal(material.value, 'new');
});
