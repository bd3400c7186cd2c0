declare module "espruino";
