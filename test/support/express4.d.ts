declare module 'express4' {
  import express = require('types-express4');
  export = express;
}
