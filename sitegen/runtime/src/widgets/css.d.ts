/** Style sheets are bundled beside the script of the task that imports them. */
declare module '*.css';
