/*
 * An OpenAPI document that says how to send the key, and Swagger UI with its "Authorize" button.
 *
 *   app.use(apiDocs());
 *
 * The document is open, the routes are not. `securityScheme` takes the `header` and `scheme` of the
 * guard.
 */
import { Router } from 'express';
import { securityScheme } from 'require-api-key';
import swaggerUi from 'swagger-ui-express';

const refused = {
  description: 'No key, or not one that is good',
  content: { 'application/problem+json': {} },
};

const openApiDocument = {
  openapi: '3.0.3',
  info: { title: 'Audio API', version: '1.0.0' },
  components: {
    securitySchemes: {
      apiKey: securityScheme({ description: 'Ask for a key with an invitation link.' }),
    },
  },
  security: [{ apiKey: [] }],
  paths: {
    '/hello': {
      get: { responses: { 200: { description: 'Greets the owner of the key' }, 401: refused } },
    },
  },
};

export function apiDocs(): Router {
  const router = Router();
  router.get('/openapi.json', (_req, res) => void res.json(openApiDocument));
  router.use('/docs', swaggerUi.serve, swaggerUi.setup(openApiDocument));
  return router;
}
