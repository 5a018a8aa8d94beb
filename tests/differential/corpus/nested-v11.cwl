cwlVersion: v1.1
class: Workflow
inputs: {word: string, suffix: {type: string, default: "!"}}
outputs: {line: {type: File, outputSource: write/line}, count: {type: int, outputSource: count/count}}
steps:
  write: {in: {word: word, suffix: suffix}, run: "nested-v10.cwl#write", out: [line]}
  count: {in: {line: write/line}, run: "nested-v10.cwl#count", out: [count]}
