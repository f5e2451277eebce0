#include "app/page_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "value/json.h"

namespace nilo::app {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kPage =
    "# our tanks\n[[page]]\nid = \"tanks\"\n\n  [[page.panel]] # all\n  kind = \"alerts\"\n";

// A stack folder with one page, and its PageFiles.
class Pages : public testing::Test {
 protected:
  Pages() {
    std::string name = (std::filesystem::temp_directory_path() / "nilo-pages-XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
    std::filesystem::create_directories(dir_ + "/pages");
    put("nilo.toml", "[[page]]\nid = \"home\"\npanel = [{ kind = \"alerts\" }]\n");
    put("pages/tanks.toml", kPage);
    open();
  }
  ~Pages() override { std::filesystem::remove_all(dir_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  void open() {
    stack::Loaded loaded = stack::load(dir_);
    ASSERT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
    files_ = std::make_unique<PageFiles>(PageFiles::Options{dir_, dir_ + "/data/pages"}, clock_,
                                         loaded.files, loaded.stack.pages);
  }

  void put(const std::string& name, std::string_view text) {
    std::ofstream(dir_ + "/" + name, std::ios::binary) << text;
  }
  std::string got(const std::string& name) {
    std::ostringstream out;
    out << std::ifstream(dir_ + "/" + name, std::ios::binary).rdbuf();
    return out.str();
  }

  // A member of the document, as text.
  static std::string member(const Result<std::string>& document, std::string_view name) {
    if (!document) return document.error().message;
    JsonDocument json;
    const auto root = json.parse(*document);
    if (!root) return root.error().message;
    const JsonNode* node = (*root)->find(name);
    if (node == nullptr) return "none";
    if (node->is_string()) return std::string(node->text());
    std::string out;
    append_json(out, *node);
    return out;
  }
  std::string version() { return member(files_->text("tanks"), "version"); }

  PageFiles::Saved save(const std::string& text, std::string version) {
    return files_->save({"tanks", "", text, std::move(version)});
  }

  const SystemClock clock_;
  std::string dir_;
  std::unique_ptr<PageFiles> files_;
};

std::string titled(const std::string& title) { return kPage + ("  title = \"" + title + "\"\n"); }

TEST_F(Pages, AreListedAndShownWithTheLinesOfTheirPanels) {
  EXPECT_EQ(files_->list(), R"({"pages":[{"id":"home","title":"home","for":null},)"
                            R"({"id":"tanks","title":"tanks","for":null}]})");
  const auto page = files_->show("tanks");
  EXPECT_EQ(member(page, "file"), "pages/tanks.toml");
  EXPECT_EQ(member(page, "line"), "2");
  EXPECT_EQ(member(page, "writable"), "true");
  EXPECT_EQ(member(page, "panels"), R"([{"kind":"alerts","line":5}])");
  EXPECT_EQ(member(page, "version"), version());
  EXPECT_EQ(member(page, "problems"), "none");
}

TEST_F(Pages, ThatAreNotThereNameTheNearest) {
  const auto page = files_->show("tank");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::not_found);
  EXPECT_EQ(page.error().hint, "did you mean 'tanks'?");
}

TEST_F(Pages, AreChangedAsTextAndKeepTheirMode) {
  ::chmod((dir_ + "/pages/tanks.toml").c_str(), 0640);
  const auto saved = save(titled("All"), version());
  ASSERT_TRUE(saved.page) << saved.page.error().message;
  EXPECT_EQ(got("pages/tanks.toml"), titled("All")) << "comments and order too";
  EXPECT_EQ(member(saved.page, "panels"), R"([{"kind":"alerts","line":5,"title":"All"}])");
  EXPECT_EQ(member(saved.page, "version"), version());
  struct stat found {};
  ::stat((dir_ + "/pages/tanks.toml").c_str(), &found);
  EXPECT_EQ(found.st_mode & 0777, 0640U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_ + "/pages"), {}), 1)
      << "nothing is left aside";
  open();
  EXPECT_EQ(member(files_->show("tanks"), "panels"), member(saved.page, "panels"));
}

TEST_F(Pages, StayAsTheyWereWhenTheTextHasMistakes) {
  const auto saved = save(titled("All") + "  widht = 3\n", version());
  ASSERT_FALSE(saved.page);
  EXPECT_EQ(saved.page.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(saved.diagnostics, HasSubstr("did you mean `width`?"));
  EXPECT_EQ(got("pages/tanks.toml"), kPage);
  EXPECT_FALSE(save("# empty\n", version()).page)
      << "a file without a page could not be found again";
  EXPECT_EQ(got("pages/tanks.toml"), kPage);
}

TEST_F(Pages, AreNotChangedOverSomebodyElsesChange) {
  const std::string seen = version();
  put("pages/tanks.toml", titled("By an editor"));
  const auto saved = save(titled("Mine"), seen);
  ASSERT_FALSE(saved.page);
  EXPECT_EQ(saved.page.error().code, ErrorCode::conflict);
  EXPECT_EQ(got("pages/tanks.toml"), titled("By an editor"));
  EXPECT_TRUE(save(titled("Mine"), version()).page);
}

TEST_F(Pages, ThatAreReadOnlySaySo) {
  ::chmod((dir_ + "/pages/tanks.toml").c_str(), 0444);
  EXPECT_EQ(member(files_->show("tanks"), "writable"), "false");
  const auto saved = save(titled("All"), version());
  ASSERT_FALSE(saved.page);
  EXPECT_EQ(saved.page.error().code, ErrorCode::permission_denied);
}

TEST_F(Pages, BehindALinkOrInTheMainFileAreReadOnly) {
  put("elsewhere.toml", kPage);
  std::filesystem::remove(dir_ + "/pages/tanks.toml");
  std::filesystem::create_symlink(dir_ + "/elsewhere.toml", dir_ + "/pages/tanks.toml");
  EXPECT_EQ(member(files_->show("tanks"), "writable"), "false");
  EXPECT_FALSE(save(titled("All"), version()).page);
  EXPECT_EQ(member(files_->show("home"), "writable"), "false");
  EXPECT_FALSE(files_->save({"home", "", "", member(files_->text("home"), "version")}).page);
}

TEST_F(Pages, FollowAnEditorOnTheDisk) {
  put("pages/tanks.toml", titled("By hand"));
  EXPECT_THAT(member(files_->show("tanks"), "panels"), HasSubstr("By hand"));
  put("pages/more.toml", "[[page]]\nid = \"more\"\npanel = [{ kind = \"alerts\" }]\n");
  EXPECT_THAT(files_->list(), HasSubstr("more"));
  std::filesystem::remove(dir_ + "/pages/more.toml");
  EXPECT_THAT(files_->list(), Not(HasSubstr("more")));
}

TEST_F(Pages, KeepTheOldTextWhileTheFileHasMistakes) {
  put("pages/tanks.toml", titled("Wrong") + "  widht = 3\n");
  const auto page = files_->show("tanks");
  EXPECT_EQ(member(page, "panels"), R"([{"kind":"alerts","line":5}])");
  EXPECT_THAT(member(page, "problems"), HasSubstr("did you mean `width`?"));
  EXPECT_THAT(member(files_->text("tanks"), "text"), HasSubstr("widht")) << "to put it right";
  ASSERT_TRUE(save(titled("Right"), version()).page);
  EXPECT_EQ(member(files_->show("tanks"), "problems"), "none");
  EXPECT_THAT(member(files_->show("tanks"), "panels"), HasSubstr("Right"));
}

TEST_F(Pages, AreCheckedWithoutBeingChanged) {
  const auto checked = files_->check("pages/tanks.toml", titled("A") + "widht = 3\n");
  EXPECT_THAT(member(checked, "pages"), HasSubstr(R"("title":"A")"));
  EXPECT_THAT(member(checked, "diagnostics"), HasSubstr(R"("start":{"line":8,"column":1)"));
  EXPECT_EQ(member(files_->check("pages/new.toml", "[[page]]\nid = \"tanks\"\n"), "pages"), "[]");
  EXPECT_THAT(member(files_->show("tanks"), "panels"), Not(HasSubstr("title")));
  for (const char* file : {"nilo.toml", "pages/../nilo.toml", "pages/a/b.toml", "pages/.a.toml",
                           "/etc/passwd", "pages/a b.toml", "pages/a.txt", ""}) {
    EXPECT_FALSE(files_->check(file, kPage)) << file;
  }
}

TEST_F(Pages, HaveALongestText) {
  const std::string before = kPage + std::string("# ");
  const std::string longest = before + std::string(kPageTextMax - before.size(), 'x');
  EXPECT_TRUE(files_->check("pages/tanks.toml", longest));
  EXPECT_FALSE(files_->check("pages/tanks.toml", longest + "x"));
  EXPECT_EQ(save(longest + "x", version()).page.error().code, ErrorCode::too_large);
  EXPECT_TRUE(save(longest, version()).page);
}

TEST_F(Pages, KeepTheLastTextsThatWereReplaced) {
  for (std::size_t i = 0; i <= kPageVersionsMax; ++i) {
    ASSERT_TRUE(save(titled(std::to_string(i)), version()).page);
  }
  const std::string kept = member(files_->versions("tanks"), "versions");
  std::size_t count = 0;
  for (std::size_t at = kept.find("\"time\""); at != std::string::npos;
       at = kept.find("\"time\"", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, kPageVersionsMax) << "the first text went";
  const std::string newest = kept.substr(kept.find(':') + 2, 16);
  const auto old = files_->old_text("tanks", newest);
  EXPECT_EQ(member(old, "text"), titled(std::to_string(kPageVersionsMax - 1)));
  ASSERT_TRUE(save(member(old, "text"), version()).page) << "undo";
  EXPECT_EQ(got("pages/tanks.toml"), titled(std::to_string(kPageVersionsMax - 1)));
  EXPECT_FALSE(files_->old_text("tanks", "../../nilo"));
}

TEST_F(Pages, MayGetAnotherId) {
  std::string text = kPage;
  text.replace(text.find("tanks\""), 5, "drums");
  const auto saved = save(text, version());
  EXPECT_EQ(member(saved.page, "id"), "drums");
  EXPECT_FALSE(files_->show("tanks"));
}

}  // namespace
}  // namespace nilo::app
