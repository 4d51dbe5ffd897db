// A small team plans a neighbourhood's open day. Times are wall-clock times; today's are minutes before now.

export const TEAM = ["Maya Lindqvist", "Jonas Weber", "Priya Nair", "Tomás Rivera"] as const;
export type Author = (typeof TEAM)[number];

export const ROOM = "Open day";
export const YOU: Author = "Maya Lindqvist";

export interface Line {
  by: Author;
  /** Days ago. */
  day: number;
  /** "14:05"; for today, minutes before now. */
  at: string | number;
  text: string;
}

const [maya, jonas, priya, tomas] = TEAM;

export const LINES: Line[] = [
  { by: jonas, day: 2, at: "16:02", text: "The council confirmed: we have the square on Saturday the 12th, from ten to six." },
  { by: jonas, day: 2, at: "16:03", text: "Power is included, water is not. We bring our own." },
  { by: priya, day: 2, at: "16:07", text: "Wonderful! Then I can tell the bakery that they get the corner by the fountain." },
  { by: maya, day: 2, at: "16:11", text: "Great news. I start the list of stalls tonight, so that nobody is promised the same spot twice." },
  { by: tomas, day: 2, at: "16:30", text: "I still have eight tables from last year, and four of them even stand straight." },
  { by: priya, day: 2, at: "16:31", text: "😄" },
  { by: maya, day: 1, at: "09:14", text: "The list of stalls so far:\n1. Bakery, by the fountain\n2. Bicycle repair, under the trees\n3. Seed swap and the library's book crates\n4. Children's corner, away from the street" },
  { by: jonas, day: 1, at: "09:20", text: "Could the repair stall be closer to the power box? They want to bring a compressor." },
  { by: maya, day: 1, at: "09:22", text: "Yes, swapped with the seeds. Everybody content?" },
  { by: tomas, day: 1, at: "09:40", text: "Content. I can drive the van on Friday evening, if somebody helps me load." },
  { by: priya, day: 1, at: "09:41", text: "I'm in. Six o'clock at the shed?" },
  { by: tomas, day: 1, at: "09:41", text: "Six is fine." },
  { by: priya, day: 0, at: 47, text: "The poster is ready: https://example.org/open-day/poster.pdf" },
  { by: priya, day: 0, at: 46, text: "Print is 38 euros for fifty, they are done by Thursday." },
  { by: jonas, day: 0, at: 41, text: "Looks lovely. The date could be a little larger, I had to look for it." },
  { by: maya, day: 0, at: 38, text: "Agreed about the date. Otherwise: print it!" },
  { by: priya, day: 0, at: 31, text: "Date enlarged, order sent. I'll pick them up on Thursday." },
  { by: tomas, day: 0, at: 12, text: "One question from the band: how long may they play?" },
  { by: jonas, day: 0, at: 10, text: "Until five with amplifiers, after that only unplugged. It is in the permit." },
  { by: tomas, day: 0, at: 9, text: "Perfect, I'll tell them two sets, at two and at four." },
  { by: maya, day: 0, at: 2, text: "Then all that is missing is the weather. See you on Friday at six!" },
];

/** Other rooms in the list: title, last message, and who is there. */
export const ROOMS: { title: string; last: string; here: Author[] }[] = [
  { title: "Tool shed", last: "The long ladder is back.", here: [tomas, jonas] },
  { title: "Seed swap", last: "I have far too many pumpkins, please take some.", here: [priya] },
  { title: "Kitchen rota", last: "Soup on Wednesday, who cooks?", here: [] },
];
