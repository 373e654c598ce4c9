/** The form of the demo login. */
export function loginPage(user: string | undefined): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Demo login, Audio API</title>
<style>
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
main { max-width: 26rem; margin: 3rem auto; padding: 0 1rem }
input, button { font: inherit; padding: 0.4rem 0.7rem; box-sizing: border-box }
input { display: block; width: 100%; margin: 0.3rem 0 1rem }
strong { display: block; border: 2px solid; padding: 0.6rem 0.8rem }
</style>
</head>
<body>
<main>
<h1>Demo login</h1>
<p><strong>For demonstration only, never for production: it believes any name.</strong></p>
<form method="post">
<label for="name">Your name</label>
<input id="name" name="name" maxlength="64" autocomplete="username" required autofocus>
<button>Log in</button>
</form>
${user === undefined ? '' : loggedIn(user)}
</main>
</body>
</html>
`;
}

const loggedIn = (user: string) => `<form method="post">
<p>Logged in as ${escapeHtml(user)}. <a href="/account/keys">Your keys</a></p>
<button name="logout" value="yes">Log out</button>
</form>`;

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
