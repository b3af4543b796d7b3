import * as digits from 'digits';
import * as loop from 'loop';

globalThis.packages = { digits, loop };
