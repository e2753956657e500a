// Before the first paint, so that a dark room stays dark: the remembered theme.
const remembered = localStorage.getItem("yuanfen.theme");
if (remembered !== null) document.documentElement.dataset.theme = remembered;
