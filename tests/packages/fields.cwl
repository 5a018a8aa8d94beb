# An input of every kind that a form has a field for. It gives back what it was given, as JSON.
cwlVersion: v1.2
class: ExpressionTool
id: fields
label: Fields
requirements: {InlineJavascriptRequirement: {}}
inputs:
  text: {type: string, label: A text, doc: Any text at all}
  filled: {type: string, default: "as it was"}
  number: double
  whole: int?
  yes: boolean
  perhaps: boolean?
  choice: {type: {type: enum, symbols: [first, second]}}
  lines: "string[]"
  numbers: {type: "double[]", default: [1, 2.5]}
  object:
    type:
      type: record
      fields: {name: string, count: int}
  anything: Any?
  file: File
  files: "File[]?"
outputs: {given: Any}
expression: |
  ${
    var sizes = function (files) { return (files || []).map(function (one) { return one.size; }); };
    var given = {};
    for (var name in inputs) given[name] = inputs[name];
    given.file = sizes([inputs.file]);
    given.files = sizes(inputs.files);
    return {given: given};
  }
