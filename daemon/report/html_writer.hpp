// HTML and SVG, element by element: the one place where text becomes markup.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mirror::daemon {

/// Tags and names of attributes are ours; every text and every value of an attribute is escaped,
/// and shown without control characters and characters that turn the direction of writing.
class HtmlWriter {
  public:
    using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

    /// Everything up to the matching close() is inside.
    void open(std::string_view tag, Attributes attributes = {});
    void close();

    /// An element with a text and nothing else.
    void element(std::string_view tag, std::string_view text, Attributes attributes = {});
    /// HTML's elements that have no end: meta, br.
    void single(std::string_view tag, Attributes attributes = {});
    void text(std::string_view text);

    /// The first line of a document.
    void doctype();
    /// A style sheet of ours, as it is.
    void style(std::string_view sheet);

    /// The document; closes what is open.
    std::string take();

  private:
    void start(std::string_view tag, Attributes attributes);

    std::string text_;
    std::vector<std::string> open_;
};

}  // namespace mirror::daemon
