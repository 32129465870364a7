import t from 'tap';
import { NewsSender } from '../../lib/primary/news-sender.ts';

interface News {
  readonly key: string;
  readonly weight: number;
  readonly version: number;
}

const about = (key: string, weight = 1, version = 1): News => ({ key, weight, version });

function openSender(sliceWeight: number) {
  const sent: string[][] = [];
  const leaving: (() => void)[] = [];
  const sender = new NewsSender<News>(
    (news, onSent) => {
      sent.push(news.map(({ key, version }) => `${key}${version}`));
      leaving.push(onSent);
    },
    ({ key }) => key,
    sliceWeight,
    ({ weight }) => weight,
  );
  return { sender, sent, letLeave: () => leaving.shift()?.() };
}

t.test('while the way is free news goes at once; what waits goes in slices, the newest word only', (t) => {
  const { sender, sent, letLeave } = openSender(2);
  sender.add([about('a')]);
  sender.add([about('b'), about('c'), about('d')]);
  sender.add([about('c', 1, 2)]);
  t.same(sent, [['a1']]);
  letLeave();
  t.same(sent.at(-1), ['b1', 'c2']);
  letLeave();
  t.same(sent.at(-1), ['d1']);
  letLeave();
  t.equal(sent.length, 3);
  sender.add([about('e')]);
  t.same(sent.at(-1), ['e1'], 'the way is free again');
  t.end();
});

t.test('a piece that is heavier than a slice goes alone', (t) => {
  const { sender, sent, letLeave } = openSender(10);
  sender.add([about('a', 50), about('b', 4), about('c', 4), about('d', 4)]);
  for (let count = 0; count < 3; count += 1) letLeave();
  t.same(sent, [['a1'], ['b1', 'c1'], ['d1']]);
  t.end();
});

t.test(
  'who waits for all to be sent hears of it with the last slice, and at once where nothing waits',
  (t) => {
    const { sender, letLeave } = openSender(1);
    const heard: string[] = [];
    sender.whenSent(() => heard.push('idle'));
    sender.add([about('a'), about('b'), about('c')]);
    sender.whenSent(() => heard.push('one'));
    sender.whenSent(() => heard.push('two'));
    letLeave();
    t.same(heard, ['idle']);
    letLeave();
    t.same(heard, ['idle', 'one', 'two']);
    t.end();
  },
);
