# cwl.output.json beats what the outputs say.
cwlVersion: v1.2
requirements: {InlineJavascriptRequirement: {}}
class: CommandLineTool
baseCommand:
  - sh
  - -c
  - |
    mkdir sub; printf text > sub/a.txt
    echo '{"n": 5, "f": {"class": "File", "path": "sub/a.txt"}, "r": {"x": [1, 2.5, null]},
           "d": {"class": "Directory", "path": "sub"}}' > cwl.output.json
inputs: []
outputs:
  n: {type: int, outputBinding: {outputEval: $(6)}}
  f: File
  d: Directory
  r: Any
  left_out: string?
