import fc from 'fast-check';
import t from 'tap';
import { formatOf, parseDocument } from '../../lib/store/parse-document.ts';

const messagesOf = (text: string, format: 'yaml' | 'json'): string[] =>
  parseDocument(text, format).problems.map((problem) => problem.message);

t.test('the name of a file tells its format', async (t) => {
  t.equal(formatOf('/etc/gateway/config.json'), 'json');
  t.equal(formatOf('CONFIG.JSON'), 'json');
  t.equal(formatOf('config.yaml'), 'yaml');
  t.equal(formatOf('config.yml'), 'yaml');
  t.equal(formatOf('config'), 'yaml');
});

t.test('YAML', async (t) => {
  t.test('a document becomes plain objects and arrays', async (t) => {
    const text = 'routes:\n  a: { order: 1, methods: [GET, POST] }\n  b: ~\n';
    t.strictSame(parseDocument(text, 'yaml'), {
      document: { routes: { a: { order: 1, methods: ['GET', 'POST'] }, b: null } },
      problems: [],
    });
  });

  t.test('a text without content is the empty document', async (t) => {
    for (const text of ['', '\n\n', '# a comment\n', '---\n', '---\n...\n', '\ufeff']) {
      t.strictSame(parseDocument(text, 'yaml'), { document: {}, problems: [] }, JSON.stringify(text));
    }
    t.equal(parseDocument('null', 'yaml').document, null, 'a null that is written is no empty document');
  });

  t.test('the core schema has no surprising types', async (t) => {
    const text =
      'no: yes\non: off\ndate: 2001-01-01\noctal: 0o14\nold: 014\nsexagesimal: 1:30\n1: x\nnull: y\n';
    t.strictSame(parseDocument(text, 'yaml').document, {
      no: 'yes',
      on: 'off',
      date: '2001-01-01',
      octal: 12,
      old: 14,
      sexagesimal: '1:30',
      1: 'x',
      null: 'y',
    });
    t.strictSame(parseDocument('%YAML 1.1\n---\na: yes\n', 'yaml').document, { a: 'yes' });
  });

  t.test('a merge key is a key like any other', async (t) => {
    t.strictSame(parseDocument('a: { <<: { b: 1 } }', 'yaml').document, { a: { '<<': { b: 1 } } });
  });

  t.test('every syntax error is reported, with line and column', async (t) => {
    const messages = messagesOf('a: [1, 2\nb: "x\n', 'yaml');
    t.ok(messages.length >= 2, messages.join('; '));
    for (const message of messages) t.match(message, /at line \d+, column \d+$/);
    t.match(messagesOf('a: 1\n\tb: 2\n', 'yaml')[0], /at line 2, column \d+$/);
    t.equal(parseDocument('a: [1', 'yaml').document, undefined);
  });

  t.test('a file full of errors yields a bounded number of problems', async (t) => {
    t.equal(parseDocument('a: !x 1\n'.repeat(5_000), 'yaml').problems.length, 100);
  });

  t.test('a key that is there twice is an error at any depth', async (t) => {
    t.strictSame(messagesOf('routes:\n  a: 1\n  b: 2\n  a: 3\nroutes: 4\n', 'yaml'), [
      'the key "a" is there again at line 4, column 3',
      'the key "routes" is there again at line 5, column 1',
    ]);
    t.strictSame(messagesOf('1: a\n"1": b', 'yaml'), ['the key "1" is there again at line 2, column 1']);
  });

  t.test('the time for the keys of one map is not quadratic', async (t) => {
    const measureCpuTime = (keyCount: number): number => {
      const text = Array.from({ length: keyCount }, (_, index) => `key-${index}: 1\n`).join('');
      const before = process.cpuUsage();
      t.same(parseDocument(text, 'yaml').problems, []);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    measureCpuTime(5_000);
    const few = measureCpuTime(5_000);
    t.ok(measureCpuTime(40_000) < 30 * few, 'eight times the keys; it would be sixty-four times the time');
  });

  t.test('tags and keys that JSON could not hold are refused', async (t) => {
    t.match(messagesOf('a: !!binary aGk=', 'yaml')[0], /binary.*at line 1, column 4/);
    t.match(messagesOf('a: !!set { b }', 'yaml')[0], /at line 1, column 4/);
    t.match(messagesOf('a: !custom b', 'yaml')[0], /!custom.*leave it out/);
    t.match(messagesOf('? [a]\n: b', 'yaml')[0], /a key that is not a string at line 1, column 3/);
    t.match(messagesOf('a: .inf', 'yaml')[0], /not finite at line 1, column 4/);
    t.match(messagesOf('a: .nan', 'yaml')[0], /not finite/);
  });

  t.test('several documents in one file are refused', async (t) => {
    t.match(messagesOf('a: 1\n---\nb: 2\n---\nc: 3\n', 'yaml'), [/second YAML document.*line 2, column 1/]);
  });

  t.test('an alias means the latest anchor before it, also within what another alias repeats', async (t) => {
    const text = 'a: &x 1\nb: &m [*x]\nc: &x 2\nd: *m\ne: *x\n&key f: *key\n';
    t.strictSame(parseDocument(text, 'yaml').document, { a: 1, b: [1], c: 2, d: [1], e: 2, f: 'f' });
    t.match(messagesOf('a: *nothing', 'yaml')[0], /\*nothing has no anchor before it at line 1, column 4/);
  });

  t.test('one anchor may serve thousands of routes', async (t) => {
    const text = `base: &base { connectMs: 1 }\nall: [${'*base, '.repeat(20_000)}]`;
    const { document, problems } = parseDocument(text, 'yaml');
    t.same(problems, []);
    t.equal((document as { all: unknown[] }).all.length, 20_000);
  });

  t.test('aliases that multiply the document are refused', async (t) => {
    let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n';
    for (let level = 1; level < 30; level += 1) {
      text += `a${level}: &a${level} [${`*a${level - 1}, `.repeat(10)}]\n`;
    }
    t.match(messagesOf(text, 'yaml')[0], /aliases make the document too large at line \d+/);
    const long = `a: &a ${'x'.repeat(1_000_000)}\nb: [${'*a, '.repeat(100)}]`;
    t.match(messagesOf(long, 'yaml')[0], /too large/);
  });

  t.test('a value that contains itself is refused', async (t) => {
    t.match(messagesOf('a: &a [1, *a]', 'yaml')[0], /\*a is used within the value that it names/);
  });

  t.test('nesting is bounded, also through aliases, and 100 levels are allowed', async (t) => {
    const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    t.same(messagesOf(nested(100), 'yaml'), []);
    t.same(messagesOf(`${'- '.repeat(100)}a`, 'yaml'), []);
    t.match(messagesOf(nested(101), 'yaml'), [/nested deeper than 100 levels at line 1, column 101$/]);
    for (const deep of ['['.repeat(1e6), '- '.repeat(1e5), '? '.repeat(1e5), '{a: '.repeat(1e5)]) {
      t.match(messagesOf(deep, 'yaml')[0], /nested deeper than 100 levels at line 1/);
    }
    const inner = `a: &a ${nested(60)}\nb: `;
    t.same(messagesOf(`${inner}${'['.repeat(39)}*a${']'.repeat(39)}`, 'yaml'), []);
    t.match(messagesOf(`${inner}${'['.repeat(40)}*a${']'.repeat(40)}`, 'yaml'), [/nested deeper/]);
  });

  t.test('a text beyond the limit is refused before it is parsed', async (t) => {
    const text = `a: ${'x'.repeat(16 * 1_048_576)}`;
    t.match(parseDocument(text, 'yaml').problems, [
      { message: /limit for YAML is 16777216/, hint: /as JSON/ },
    ]);
  });
});

t.test('JSON', async (t) => {
  t.test('equals JSON.parse for every text that JSON.parse takes', async (t) => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent);
        t.strictSame(parseDocument(text, 'json').document, JSON.parse(text));
        return true;
      }),
      { numRuns: 300 },
    );
  });

  t.test('refuses exactly what JSON.parse refuses', async () => {
    const fragment = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"a"', '"b"', '1', '-', '0', '1.', 'e5', 'true', 'nul', 'null', ' '],
      ...['"', '\\', '\\n', '\\u00', '\\u00e9', '\n', '\u00a0', '\u0001', '.5', "'a'", '//', 'é'],
    );
    const texts = fc.oneof(
      fc.array(fragment, { maxLength: 8 }).map((parts) => parts.join('')),
      fc
        .tuple(fc.json(), fc.nat(), fragment)
        .map(
          ([json, at, part]) => json.slice(0, at % json.length) + part + json.slice((at % json.length) + 1),
        ),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const problems = messagesOf(text, 'json');
        // JSON.parse takes a number too large for a double as infinite; we do not.
        fc.pre(!problems.some((message) => message.includes('too large for JSON')));
        const ours = problems.every((message) => /is there again/.test(message));
        let theirs = true;
        try {
          JSON.parse(text);
        } catch {
          theirs = false;
        }
        return ours === theirs;
      }),
      { numRuns: 3_000 },
    );
  });

  t.test('a syntax error says line and column', async (t) => {
    t.strictSame(messagesOf('{\n  "a": 1,\n  b: 2\n}', 'json'), [
      'not valid JSON: expected a key in quotes, found "b" at line 3, column 3',
    ]);
    t.match(messagesOf('', 'json'), [/expected a value, found the end of the text at line 1, column 1/]);
    t.match(messagesOf('{"a":1', 'json'), [/expected "," or "}", found the end of the text/]);
    t.match(messagesOf('[1 2]', 'json'), [/expected "," or "]", found "2" at line 1, column 4/]);
    t.match(messagesOf('{"a" 1}', 'json'), [/expected ":" after the key, found "1"/]);
    t.match(messagesOf('{} x', 'json'), [/unexpected "x" after the end at line 1, column 4/]);
    t.match(messagesOf('["a\nb"]', 'json'), [/unexpected "\\n" in a string at line 1, column 4/]);
    t.match(messagesOf('["\\x"]', 'json'), [/escape sequence.*line 1, column 3/]);
    t.match(messagesOf('[1e999]', 'json'), [/number too large.*line 1, column 2/]);
  });

  t.test('a key that is there twice is an error, though JSON.parse takes it', async (t) => {
    const text = '{"routes": {"a/b": 1,\n "a\\u002fb": 2}, "l": [{"x": 1, "x": 2}]}';
    t.strictSame(
      parseDocument(text, 'json').problems.map(({ pointer, message }) => `${pointer} ${message}`),
      [
        '/routes/a~1b the key "a/b" is there again at line 2, column 2',
        '/l/0/x the key "x" is there again at line 2, column 33',
      ],
    );
    t.equal(parseDocument(text, 'json').document, undefined);
    t.equal(parseDocument(`{${'"a":1,'.repeat(1_000)}"a":1}`, 'json').problems.length, 100);
    t.equal(parseDocument('{"a":1,"a":2,', 'json').problems.length, 2, 'beside a syntax error, too');
  });

  t.test('nesting is bounded', async (t) => {
    t.same(messagesOf(`${'['.repeat(100)}${']'.repeat(100)}`, 'json'), []);
    t.match(messagesOf('['.repeat(1e6), 'json'), [/nested deeper than 100 levels at line 1, column 101/]);
  });

  t.test('a byte order mark is skipped', async (t) => {
    t.strictSame(parseDocument('\ufeff{"a":1}', 'json').document, { a: 1 });
  });

  t.test('a text beyond the limit is refused before it is parsed', async (t) => {
    const text = ' '.repeat(64 * 1_048_576 + 1);
    t.match(parseDocument(text, 'json').problems, [{ message: /limit for JSON is 67108864/ }]);
  });
});

t.test('a key __proto__ is an own key and sets no prototype', async (t) => {
  for (const [text, format] of [
    ['__proto__: { polluted: 1 }\nroutes: { __proto__: { a: 1 } }', 'yaml'],
    ['{"__proto__": {"polluted": 1}, "routes": {"\\u005f_proto__": {"a": 1}}}', 'json'],
  ] as const) {
    const document = parseDocument(text, format).document as { routes: object };
    t.strictSame(Object.keys(document), ['__proto__', 'routes'], format);
    t.equal(Object.getPrototypeOf(document), Object.prototype);
    t.equal(Object.getPrototypeOf(document.routes), Object.prototype);
    t.ok(Object.hasOwn(document.routes, '__proto__'));
  }
  t.match(messagesOf('__proto__: 1\n__proto__: 2', 'yaml'), [/"__proto__" is there again/]);
  t.match(messagesOf('{"__proto__":1,"__proto__":2}', 'json'), [/"__proto__" is there again/]);
});
