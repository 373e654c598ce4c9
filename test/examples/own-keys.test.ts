import express, { type Express } from 'express';
import express4 from 'express4';
import { ApiKeyManager, MemoryKeyStore, requireApiKey, type CreatedKey } from 'require-api-key';
import supertest from 'supertest';
import { describe, expect, it } from 'vitest';
import { ownKeys } from '../../examples/recipes/own-keys.js';

/** An app in which a header says who is logged in. */
function createApp(create: () => Express): Express {
  const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
  const userOf = (req: { headers: object }) => (req.headers as { person?: string }).person;
  const app = create();
  app.use('/account/keys', ownKeys(keys, { userOf, scopes: ['audio:read'], maxKeys: 2 }));
  app.get('/audio', requireApiKey({ source: keys, scopes: ['audio:read'] }), (req, res) =>
    res.json(req.apiKey?.user),
  );
  return app;
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4 as unknown as typeof express],
])("users' own keys, on %s", (_version, create) => {
  const open = () => {
    const app = createApp(create);
    const as = (person: string) => supertest.agent(app).set('person', person);
    const make = async (person: string, name = 'laptop') => {
      const { body } = await as(person).post('/account/keys').send({ name }).expect(201);
      return body as CreatedKey;
    };
    const audio = (key: string) => supertest(app).get('/audio').set('X-API-Key', key);
    return { app, as, make, audio };
  };

  it('made, used, listed, replaced, revoked -> by its user, who sees it once', async () => {
    const { as, make, audio } = open();
    const { key, record } = await make('alice');
    await audio(key).expect(200, '"alice"');
    const listed = await as('alice')
      .get('/account/keys')
      .expect(200)
      .expect('Cache-Control', 'no-store');
    expect(listed.text).not.toContain(key);
    expect(listed.body).toMatchObject([
      { keyId: record.keyId, name: 'laptop', scopes: ['audio:read'] },
    ]);
    const rotated = await as('alice')
      .post(`/account/keys/${record.keyId}/rotate`)
      .send({})
      .expect(201);
    const successor = rotated.body as CreatedKey;
    await audio(successor.key).expect(200);
    await as('alice').delete(`/account/keys/${successor.record.keyId}`).send({}).expect(200);
    await audio(successor.key).expect(401);
    await audio(key).expect(200);
  });

  it("somebody else's key -> neither seen, replaced nor revoked, as if there were none", async () => {
    const { as, make, audio } = open();
    const { key, record } = await make('alice');
    await as('bob').get('/account/keys').expect(200, []);
    const missing = await as('bob').delete('/account/keys/key_0123456789').send({}).expect(404);
    for (const attempt of [
      as('bob').delete(`/account/keys/${record.keyId}`).send({}),
      as('bob').post(`/account/keys/${record.keyId}/rotate`).send({}),
    ])
      expect((await attempt.expect(404)).text).toBe(missing.text);
    await audio(key).expect(200);
  });

  it('nobody logged in, a form of another site, no name, too many keys -> refused, and no key is made', async () => {
    const { app, as, make } = open();
    await supertest(app).post('/account/keys').send({ name: 'x' }).expect(401);
    await as('alice').post('/account/keys').type('form').send({ name: 'x' }).expect(415);
    await as('alice').delete('/account/keys/key_0123456789').expect(415);
    for (const name of [undefined, '', ' x', 7])
      await as('alice').post('/account/keys').send({ name }).expect(400);
    expect((await as('alice').get('/account/keys')).body).toEqual([]);
    await make('alice', 'one');
    await make('alice', 'two');
    await as('alice').post('/account/keys').send({ name: 'three' }).expect(409);
  });

  it('a key that was rotated before -> 409, and why', async () => {
    const { as, make } = open();
    const { record } = await make('alice');
    await as('alice').post(`/account/keys/${record.keyId}/rotate`).send({}).expect(201);
    await as('alice').post(`/account/keys/${record.keyId}/rotate`).send({}).expect(409);
  });
});
