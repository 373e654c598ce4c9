import { Interrupted } from './interrupt.js';

/** Asks for a secret on the terminal, without showing it. */
export async function promptSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  // Before the question: text typed from then on is not shown.
  stdin.setRawMode(true).setEncoding('utf8').resume();
  stderr.write(question);
  try {
    return await readLine(stdin);
  } finally {
    stdin.setRawMode(false).pause();
    stderr.write('\n');
  }
}

function readLine(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = '';
    const finish = (settle: () => void) => {
      stdin.off('data', onData);
      settle();
    };
    const onData = (text: string) => {
      for (const character of text) {
        if (character === '\r' || character === '\n' || character === '\u0004')
          return finish(() => resolve(line));
        // In raw mode Ctrl-C is a character like any other.
        if (character === '\u0003') {
          return finish(() => reject(new Interrupted('stopped', { exitCode: 130 })));
        }
        line = character === '\u007f' || character === '\b' ? line.slice(0, -1) : line + character;
      }
    };
    stdin.on('data', onData);
  });
}
