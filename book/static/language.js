// The link to the other language leads to the section that is being read.
// A reader whose browser prefers that language is told of it, until the first answer.
document.addEventListener("DOMContentLoaded", () => {
  const links = document.querySelectorAll("a.language-switch, .language-offer a");
  const offer = document.querySelector(".language-offer");
  if (!offer) return;
  const languages = [document.documentElement.lang, offer.lang];
  const preferred = navigator.languages.map(tag => tag.split("-")[0]).find(tag => languages.includes(tag));
  offer.hidden = preferred !== offer.lang || localStorage.getItem("language-offer") === "answered";
  const answer = () => {
    localStorage.setItem("language-offer", "answered");
    offer.hidden = true;
  };
  offer.querySelector("button").addEventListener("click", answer);
  for (const link of links) {
    link.addEventListener("click", () => {
      const sections = [...document.querySelectorAll("article section section[id]")];
      link.hash = sections.findLast(section => section.getBoundingClientRect().top < innerHeight / 3)?.id ?? "";
      answer();
    });
  }
});
