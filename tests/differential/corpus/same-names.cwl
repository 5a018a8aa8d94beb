# Two folders hold a file of the same name each.
cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: []
outputs: {folders: "Directory[]"}
expression: |
  ${
    return {folders: ["one", "two"].map(function (name) {
      var file = {class: "File", basename: "a.txt", contents: name};
      return {class: "Directory", basename: name, listing: [file]};
    })};
  }
