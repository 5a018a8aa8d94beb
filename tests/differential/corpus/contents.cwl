cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs:
  text: {type: File, loadContents: true}
  folder: {type: Directory, loadListing: deep_listing}
  flat: {type: Directory, loadListing: shallow_listing}
  closed: Directory
outputs: {found: Any}
expression: |
  ${
    function names(directory) {
      return (directory.listing || []).map(function (one) {
        return one.class === "File" ? one.basename : [one.basename, names(one)];
      }).sort();
    }
    return {found: [inputs.text.contents, names(inputs.folder), names(inputs.flat),
                    names(inputs.closed), inputs.text.size]};
  }
