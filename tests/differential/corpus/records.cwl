cwlVersion: v1.2
class: CommandLineTool
requirements:
  SchemaDefRequirement:
    types:
      - name: Point
        type: record
        fields:
          x: {type: int, inputBinding: {prefix: -x, position: 2}}
          y: {type: int, inputBinding: {prefix: -y, position: 1}}
          name: string?
baseCommand: [printf, '%s\n']
inputs:
  point: {type: "#Point", inputBinding: {prefix: --point, position: 1}}
  points:
    type: {type: array, items: "#Point", inputBinding: {prefix: --of}}
    inputBinding: {prefix: --points, position: 2}
  plain: {type: "#Point?"}
  either:
    type:
      - {type: record, name: A, fields: {a: {type: string, inputBinding: {prefix: -a}}}}
      - {type: record, name: B, fields: {b: {type: string, inputBinding: {prefix: -b}}}}
outputs:
  arguments: stdout
  result:
    type:
      type: record
      fields:
        said: {type: File, outputBinding: {glob: arguments.txt}}
        again: {type: "File[]", outputBinding: {glob: "*.txt"}}
        absent: {type: File?, outputBinding: {glob: "*.tif"}}
stdout: arguments.txt
